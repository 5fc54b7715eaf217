"""Versions of policies on their way, and what entities may override."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Max

from erp.accounts.models import User
from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules import (
    BadLimits,
    BadTable,
    Problem,
    Schema,
    Table,
    beyond_limits,
    problems_of,
    read_limits,
    read_table,
)
from erp.governance.rules.standing import EVERYBODY, in_force
from erp.governance.selectors import same_person
from erp.governance.services._recording import Change, record
from erp.kernel.errors import DomainError


class PolicyRefused(DomainError):
    """The table has faults; each is named with its row in `problems`."""

    code: ClassVar[str] = "policy_refused"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.errors = [
            {"field": _path(p), "code": "policy_refused", "message": p.message} for p in problems
        ]
        first = problems[0]
        where = "" if first.row is None else f"Row {first.row + 1}: "
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{where}{first.message}{more}")


def _path(problem: Problem) -> str:
    """Return the place of a fault in the table: `table.rows[2].then.hold`."""
    if problem.row is None:
        return "table"
    is_outcome = problem.code in {"bounds", "locked"} and problem.field
    return f"table.rows[{problem.row}]" + (f".then.{problem.field}" if is_outcome else "")


class VersionNotOpen(DomainError):
    """The version is not in the state that this needs."""

    code: ClassVar[str] = "version_not_open"


class NotYourDraft(DomainError):
    """Only whoever wrote a draft edits or submits it: the second pair of eyes stays a second."""

    code: ClassVar[str] = "not_your_draft"


class DatesRefused(DomainError):
    """A version ends after it begins, and does not begin or end in the past."""

    code: ClassVar[str] = "dates_refused"


class LimitsRefused(DomainError):
    """The limits cannot be read; the outcome at fault is named."""

    code: ClassVar[str] = "limits_refused"

    def __init__(self, message: str, field: str) -> None:
        where = f"limits.outcomes.{field}" if field else "limits"
        self.errors = [{"field": where, "code": self.code, "message": message}]
        super().__init__(message)


@transaction.atomic
def write_version(
    *,
    policy: str,
    entity_id: int | None,
    table: Mapping[str, Any],
    author: User,
    now: datetime,
    note: str = "",
    node: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> PolicyVersion:
    """Write a draft of a policy's table: for one entity, one of its nodes, or (None) for all.

    `valid_from` and `valid_until` propose when it is in force. Locks the policy.

    Raises:
        Policy.DoesNotExist: there is no such policy.
        PolicyRefused: the table cannot be read against the policy's facts and outcomes, or leaves
            what the policy lets an entity override.
        DatesRefused: it would end before it begins.
    """
    found = Policy.objects.select_for_update(of=["self"]).get(code=policy)
    read = _read(found, table, (entity_id, node), now)
    _refuse_dates(valid_from, valid_until)
    last = found.versions.aggregate(last=Max("number"))["last"] or 0
    version = PolicyVersion.objects.create(
        policy=found,
        entity_id=entity_id,
        node=node,
        number=last + 1,
        table=read.written(),
        author=author,
        created_at=now,
        note=note[:300],
        valid_from=valid_from,
        valid_until=valid_until,
    )
    record(changes=[change_of(version, found, "write_version")], actor=author, now=now)
    return version


@transaction.atomic
def edit_version(
    *,
    version_id: int,
    table: Mapping[str, Any],
    note: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
    actor: User,
    now: datetime,
) -> PolicyVersion:
    """Put another table into a draft of one's own. Locks the policy.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        VersionNotOpen: it is no draft any more.
        NotYourDraft: somebody else wrote it.
        PolicyRefused: as of `write_version`.
        DatesRefused: it would end before it begins.
    """
    policy, version = lock_version(version_id)
    _refuse_others_draft(policy, version, actor)
    read = _read(policy, table, (version.entity_id, version.node), now)
    _refuse_dates(valid_from, valid_until)
    before = {"rows": len(version.table["rows"]), "note": version.note}
    version.table, version.note = read.written(), note[:300]
    version.valid_from, version.valid_until = valid_from, valid_until
    version.save(update_fields=["table", "note", "valid_from", "valid_until"])
    changed = change_of(version, policy, "edit_version", before=before)
    record(changes=[changed], actor=actor, now=now)
    return version


@transaction.atomic
def submit_version(*, version_id: int, actor: User, now: datetime) -> PolicyVersion:
    """Hand a draft to whoever puts it into force; from now on its table is settled.

    Submitting twice changes nothing. Locks the policy.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        VersionNotOpen: it is already in force or retired.
        NotYourDraft: somebody else wrote it.
        PolicyRefused: lint finds an error, or it leaves what the policy lets an entity override.
    """
    policy, version = lock_version(version_id)
    if version.state == PolicyVersion.State.REVIEWED:
        return version
    _refuse_others_draft(policy, version, actor)
    refuse_faults(policy, version, now)
    version.submit(by_id=actor.pk, at=now)
    version.save(update_fields=["state", "submitted_by", "submitted_at"])
    record(changes=[change_of(version, policy, "submit_version")], actor=actor, now=now)
    return version


@transaction.atomic
def change_limits(*, policy: str, limits: Mapping[str, Any], actor: User, now: datetime) -> Policy:
    """Say what versions of one entity or node may say otherwise than everybody's.

    Versions already in force stay; the drift report shows which of them leave the new limits. From
    now on a release of the software leaves the limits alone. Locks the policy.

    Raises:
        Policy.DoesNotExist: there is no such policy.
        LimitsRefused: the limits have not the form, or not that of their outcome's type.
    """
    found = Policy.objects.select_for_update(of=["self"]).get(code=policy)
    try:
        read = read_limits(limits, found.schema)
    except BadLimits as error:
        raise LimitsRefused(str(error), error.field) from None
    before, found.limits = found.limits, read
    found.limits_by, found.limits_at = actor, now
    found.save(update_fields=["limits", "limits_by", "limits_at"])
    changed = Change(
        entity_id=None,
        action="governance.change_limits",
        subject_kind="governance.policy",
        subject_id=found.pk,
        thread=f"governance.policy:{found.pk}",
        before=before,
        after=read,
    )
    record(changes=[changed], actor=actor, now=now)
    return found


def lock_version(version_id: int) -> tuple[Policy, PolicyVersion]:
    """Return a version with its policy, which is locked until the transaction ends.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
    """
    policy = Policy.objects.select_for_update(of=["self"]).filter(versions__pk=version_id).first()
    version = PolicyVersion.objects.get(pk=version_id)
    assert policy is not None
    return policy, version


def refuse_faults(policy: Policy, version: PolicyVersion, now: datetime) -> None:
    """Raise PolicyRefused unless the table may come into force in its scope."""
    schema = policy.schema
    if problems := problems_of(version.table, schema):
        raise PolicyRefused(problems)
    scope = (version.entity_id, version.node)
    _refuse_beyond(policy, read_table(version.table, schema), scope, now)


def change_of(
    version: PolicyVersion, policy: Policy, verb: str, before: Mapping[str, Any] | None = None
) -> Change:
    """Return the audit entry of what was done to a version."""
    after: dict[str, Any] = {"state": str(version.state), "number": version.number}
    if version.node:
        after["node"] = version.node
    for name in ("valid_from", "valid_until"):
        if (at := getattr(version, name)) is not None:
            after[name] = at
    return Change(
        entity_id=version.entity_id,
        action=f"governance.{verb}",
        subject_kind="governance.policyversion",
        subject_id=version.pk,
        thread=f"governance.policy:{policy.pk}",
        before=before,
        after=after,
        reason=version.note,
        policy_version=f"{policy.code} v{version.number}",
    )


def _read(
    policy: Policy, table: Mapping[str, Any], scope: tuple[int | None, str], now: datetime
) -> Table:
    try:
        read = read_table(table, policy.schema)
    except BadTable as error:
        raise PolicyRefused([Problem(error.row, str(error), field=error.field)]) from None
    _refuse_beyond(policy, read, scope, now)
    return read


def _refuse_beyond(
    policy: Policy, table: Table, scope: tuple[int | None, str], now: datetime
) -> None:
    if scope == EVERYBODY:
        return
    everybody = everybodys_table(policy, now)
    if everybody is None:
        return
    if problems := beyond_limits(table, everybody, policy.limits):
        raise PolicyRefused(problems)


def everybodys_table(policy: Policy, now: datetime) -> Table | None:
    """Return the table that decides for all entities at `now`."""
    schema: Schema = policy.schema
    found = {v.pk: v for v in policy.versions.filter(state="active", entity=None)}
    term = in_force([version.term for version in found.values()], now).get(EVERYBODY)
    return read_table(found[term.key].table, schema) if term else None


def _refuse_others_draft(policy: Policy, version: PolicyVersion, actor: User) -> None:
    if version.state != PolicyVersion.State.DRAFT:
        raise VersionNotOpen(f"{policy.code} v{version.number} is no draft: write a new version.")
    if not same_person(one=actor, others=[version.author_id]):
        raise NotYourDraft("Somebody else wrote this draft: copy it into one of your own.")


def _refuse_dates(valid_from: datetime | None, valid_until: datetime | None) -> None:
    if valid_from and valid_until and valid_until <= valid_from:
        raise DatesRefused("A version ends after it begins.")
