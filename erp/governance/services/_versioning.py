"""Versions of policies: writing, activating, retiring, and those that the software brings along."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from django.apps import apps
from django.db import transaction
from django.db.models import Max

from erp.accounts.models import User
from erp.governance.events import PolicyActivated
from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules import BadTable, Problem, Schema, problems_of, read_table
from erp.governance.selectors import same_person
from erp.governance.services._deciding import read_again
from erp.governance.services._recording import Change, record
from erp.governance.services._separating import Act, refuse_conflict
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish


class PolicyRefused(DomainError):
    """The table has faults; each is named with its row in `problems`."""

    code: ClassVar[str] = "policy_refused"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.errors = [
            {
                "field": "table" if p.row is None else f"table.rows[{p.row}]",
                "code": "policy_refused",
                "message": p.message,
            }
            for p in problems
        ]
        first = problems[0]
        where = "" if first.row is None else f"Row {first.row + 1}: "
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{where}{first.message}{more}")


class OwnVersion(DomainError):
    """Whoever wrote a version does not put it into force."""

    code: ClassVar[str] = "own_version"


class VersionNotOpen(DomainError):
    """Only a draft or a reviewed version can be activated."""

    code: ClassVar[str] = "version_not_open"


@transaction.atomic
def write_version(
    *,
    policy: str,
    entity_id: int | None,
    table: Mapping[str, Any],
    author: User,
    now: datetime,
    note: str = "",
) -> PolicyVersion:
    """Write a draft of a policy's table, for one entity or (None) for all.

    Raises:
        Policy.DoesNotExist: there is no such policy.
        PolicyRefused: the table cannot be read against the policy's facts and outcomes.
    """
    found = Policy.objects.select_for_update().get(code=policy)
    try:
        read = read_table(table, Schema(found.fields, found.outcomes))
    except BadTable as error:
        raise PolicyRefused([Problem(error.row, str(error))]) from None
    last = found.versions.aggregate(last=Max("number"))["last"] or 0
    version = PolicyVersion.objects.create(
        policy=found,
        entity_id=entity_id,
        number=last + 1,
        table=read.written(),
        author=author,
        created_at=now,
        note=note[:300],
    )
    record(changes=[_change(version, found, "write_version")], actor=author, now=now)
    return version


@transaction.atomic
def activate_version(*, version_id: int, actor: User, now: datetime) -> PolicyVersion:
    """Put a version into force in place of the active one of the same policy and entity.

    Locks the policy. Activating what is active changes nothing.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        OwnVersion: the person wrote it, or is the same employee as who did.
        DutyConflict: they did on the policy what is kept apart from putting it into force.
        VersionNotOpen: it was retired.
        PolicyRefused: the table has rows nobody reaches, cases nobody covers or other faults.

    Publishes:
        PolicyActivated
    """
    policy = Policy.objects.select_for_update(of=["self"]).get(versions__pk=version_id)
    version = PolicyVersion.objects.get(pk=version_id)
    if version.state == PolicyVersion.State.ACTIVE:
        return version
    if version.state == PolicyVersion.State.RETIRED:
        raise VersionNotOpen(f"{policy.code} v{version.number} was retired: write a new version.")
    if same_person(one=actor, others=[version.author_id]):
        raise OwnVersion("You wrote this version: somebody else puts it into force.")
    act = Act(
        entity_id=version.entity_id,
        kind="governance.policyversion",
        id=version.pk,
        label=f"{policy.code} v{version.number}",
        threads=[f"governance.policy:{policy.pk}"],
    )
    refuse_conflict(actor=actor, duty="governance.activate_version", acts=[act], now=now)
    if problems := problems_of(version.table, Schema(policy.fields, policy.outcomes)):
        raise PolicyRefused(problems)
    _put_into_force(policy, version, actor, now)
    publish(
        PolicyActivated(
            policy=policy.code,
            version_id=version.pk,
            number=version.number,
            entity_id=version.entity_id,
        )
    )
    return version


@transaction.atomic
def retire_version(*, version_id: int, actor: User, now: datetime) -> PolicyVersion:
    """Take an entity's own version out of force: everybody's decides again.

    Raises:
        PolicyVersion.DoesNotExist: there is no such version.
        VersionNotOpen: it is not an entity's own, or not active.
    """
    policy = Policy.objects.select_for_update(of=["self"]).get(versions__pk=version_id)
    version = PolicyVersion.objects.get(pk=version_id)
    if version.state == PolicyVersion.State.RETIRED:
        return version
    if version.entity_id is None or version.state != PolicyVersion.State.ACTIVE:
        raise VersionNotOpen("Only an entity's own active version can be retired.")
    version.retire(at=now)
    version.save(update_fields=["state", "retired_at"])
    record(changes=[_change(version, policy, "retire_version")], actor=actor, now=now)
    read_again()
    return version


@transaction.atomic
def ensure_builtin_policies(*, now: datetime) -> list[str]:
    """Bring the policies of `<app>/policies/*.toml` into the database; return those that changed.

    A policy nobody wrote a version of gets the shipped table; where the shipped table is in force
    and the software now brings another one, the new one takes its place. What a person put into
    force stays. Repeating it changes nothing.

    Raises:
        PolicyRefused: a shipped table has faults: a bug of ours.
    """
    stored = {policy.code: policy for policy in Policy.objects.all()}
    active = {
        version.policy_id: version
        for version in PolicyVersion.objects.filter(state="active", entity=None)
    }
    changed = []
    for shipped in shipped_policies():
        policy = stored.get(shipped["code"]) or Policy(code=shipped["code"])
        declared = {name: shipped[name] for name in ("title", "fields", "outcomes")}
        if policy.pk is None or declared != {name: getattr(policy, name) for name in declared}:
            for name, value in declared.items():
                setattr(policy, name, value)
            policy.save()
        if _ship(policy, active.get(policy.pk), shipped["table"], now):
            changed.append(policy.code)
    return changed


def shipped_policies() -> Iterator[dict[str, Any]]:
    """Yield what the installed apps declare in `policies/*.toml`: code, title, fields, outcomes."""
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "policies").glob("*.toml")):
            raw = tomllib.loads(path.read_text(), parse_float=Decimal)
            yield {
                "code": raw["code"],
                "title": raw["title"],
                "fields": raw["facts"],
                "outcomes": raw["outcomes"],
                "table": {"hit": raw.get("hit", "first"), "rows": raw["rows"]},
            }


def _ship(policy: Policy, active: PolicyVersion | None, raw: Any, now: datetime) -> bool:
    if active is not None and active.author_id is not None:
        return False
    schema = Schema(policy.fields, policy.outcomes)
    if problems := problems_of(raw, schema):
        raise PolicyRefused(problems)
    table = read_table(raw, schema).written()
    if active is not None and active.table == table:
        return False
    if active is not None:
        active.retire(at=now)
        active.save(update_fields=["state", "retired_at"])
    last = policy.versions.aggregate(last=Max("number"))["last"] or 0
    version = PolicyVersion(
        policy=policy, number=last + 1, table=table, created_at=now, note="Shipped"
    )
    version.activate(by_id=None, at=now)
    version.save(force_insert=True)
    read_again()
    return True


def _put_into_force(policy: Policy, version: PolicyVersion, actor: User, now: datetime) -> None:
    same = PolicyVersion.objects.filter(policy=policy, entity=version.entity_id, state="active")
    for former in same:
        former.retire(at=now)
        former.save(update_fields=["state", "retired_at"])
    version.activate(by_id=actor.pk, at=now)
    version.save(update_fields=["state", "activated_by", "activated_at"])
    record(changes=[_change(version, policy, "activate_version")], actor=actor, now=now)
    read_again()


def _change(version: PolicyVersion, policy: Policy, verb: str) -> Change:
    return Change(
        entity_id=version.entity_id,
        action=f"governance.{verb}",
        subject_kind="governance.policyversion",
        subject_id=version.pk,
        thread=f"governance.policy:{policy.pk}",
        after={"state": str(version.state), "number": version.number},
        reason=version.note,
        policy_version=f"{policy.code} v{version.number}",
    )
