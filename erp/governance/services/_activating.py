"""Putting versions into force and taking them out."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.events import PolicyActivated, PolicyRetired
from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules.standing import EVERYBODY, in_force, superseded
from erp.governance.selectors import same_person
from erp.governance.services._deciding import read_again
from erp.governance.services._recording import Change, record
from erp.governance.services._separating import Act, refuse_conflict
from erp.governance.services._versioning import (
    DatesRefused,
    VersionNotOpen,
    change_of,
    lock_version,
    refuse_faults,
)
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish

State = PolicyVersion.State


class OwnVersion(DomainError):
    """Whoever wrote a version neither puts it into force nor takes it out."""

    code: ClassVar[str] = "own_version"


@transaction.atomic
def activate_version(
    *,
    version_id: int,
    actor: User,
    now: datetime,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> PolicyVersion:
    """Put a version into force, at once or from `valid_from` on, in its own scope.

    Dates that are not given are those the author proposed; a beginning that has passed is `now`.
    An open version takes the place of those before it; one that ends lies over the present one,
    which decides again afterwards. Nothing has to happen at either moment. Activating what is
    active changes nothing. Locks the policy.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        OwnVersion: the person wrote it, or is the same employee as who did.
        DutyConflict: they did on the policy what is kept apart from putting it into force.
        VersionNotOpen: it was retired.
        DatesRefused: it would end before it begins.
        PolicyRefused: lint finds an error, or it leaves what the policy lets an entity override.

    Publishes:
        PolicyActivated
    """
    policy, version = lock_version(version_id)
    if version.state == State.ACTIVE:
        return version
    if version.state == State.RETIRED:
        raise VersionNotOpen(f"{policy.code} v{version.number} was retired: write a new version.")
    _refuse_own(version, actor, "puts it into force")
    refuse_conflict(
        actor=actor, duty="governance.activate_version", acts=[_act(policy, version)], now=now
    )
    since = max(valid_from or version.valid_from or now, now)
    until = valid_until or version.valid_until
    if until is not None and until <= since:
        raise DatesRefused("A version ends after it begins, and not in the past.")
    refuse_faults(policy, version, max(since, now))
    _retire(policy, _followed(policy, version, since, until, now), actor, now)
    version.activate(by_id=actor.pk, at=now, since=since, until=until)
    version.save(
        update_fields=["state", "activated_by", "activated_at", "valid_from", "valid_until"]
    )
    record(changes=[change_of(version, policy, "activate_version")], actor=actor, now=now)
    read_again()
    publish(
        PolicyActivated(
            policy=policy.code,
            version_id=version.pk,
            number=version.number,
            entity_id=version.entity_id,
            node=version.node,
        )
    )
    return version


@transaction.atomic
def retire_version(*, version_id: int, actor: User, now: datetime) -> PolicyVersion:
    """Take a version out of force: what it lay over, or the next wider scope, decides again.

    One that is still to come is called off. Where an open version is taken out, those it had
    followed do not come back. Everybody's present version stays: another one takes its place.
    Retiring twice changes nothing. Locks the policy.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        OwnVersion: the person wrote it, or is the same employee as who did.
        VersionNotOpen: it is not active, or nothing else would decide for all entities.

    Publishes:
        PolicyRetired
    """
    policy, version = lock_version(version_id)
    if version.state == State.RETIRED:
        return version
    if version.state != State.ACTIVE:
        raise VersionNotOpen("Only an active version can be retired.")
    _refuse_own(version, actor, "takes it out of force")
    follows = version.valid_until is None and version.term.since <= now
    before = [v for v in _same_scope(policy, version) if v.term.since < version.term.since]
    gone = [version, *(before if follows else [])]
    _refuse_nobody_deciding(policy, version, gone, now)
    _retire(policy, gone, actor, now)
    read_again()
    publish(
        PolicyRetired(
            policy=policy.code,
            version_id=version.pk,
            number=version.number,
            entity_id=version.entity_id,
            node=version.node,
        )
    )
    return version


def _act(policy: Policy, version: PolicyVersion) -> Act:
    return Act(
        entity_id=version.entity_id,
        kind="governance.policyversion",
        id=version.pk,
        label=f"{policy.code} v{version.number}",
        threads=[f"governance.policy:{policy.pk}"],
    )


def _same_scope(policy: Policy, version: PolicyVersion) -> list[PolicyVersion]:
    """Return the other active versions for the same entity and node, by when they begin."""
    return list(
        PolicyVersion.objects.filter(
            policy=policy, entity=version.entity_id, node=version.node, state=State.ACTIVE
        )
        .exclude(pk=version.pk)
        .order_by("valid_from")
    )


def _followed(
    policy: Policy,
    version: PolicyVersion,
    since: datetime,
    until: datetime | None,
    now: datetime,
) -> list[PolicyVersion]:
    """Return what will never decide again once this version is active."""
    others = _same_scope(policy, version)
    terms = [other.term for other in others]
    gone = []
    for other in others:
        begins_too = other.term.since == since
        if begins_too and until is not None:
            raise DatesRefused(f"v{other.number} begins at that moment: choose another one.")
        is_over = until is None and since <= now and other.term.since <= now
        if is_over or begins_too or superseded(other.term, terms, now):
            gone.append(other)
    return gone


def _retire(policy: Policy, gone: list[PolicyVersion], actor: User, now: datetime) -> None:
    changes: list[Change] = []
    for version in gone:
        version.retire(at=now)
        version.save(update_fields=["state", "retired_at"])
        changes.append(change_of(version, policy, "retire_version"))
    record(changes=changes, actor=actor, now=now)


def _refuse_own(version: PolicyVersion, actor: User, said: str) -> None:
    if same_person(one=actor, others=[version.author_id]):
        raise OwnVersion(f"You wrote this version: somebody else {said}.")


def _refuse_nobody_deciding(
    policy: Policy, version: PolicyVersion, gone: list[PolicyVersion], now: datetime
) -> None:
    if (version.entity_id, version.node) != EVERYBODY:
        return
    left = [v.term for v in _same_scope(policy, version) if v not in gone]
    begun = [term for term in left if term.since <= now and term.until is None]
    if not begun or EVERYBODY not in in_force(begun, now):
        raise VersionNotOpen("Something must decide everywhere: put another version in its place.")
