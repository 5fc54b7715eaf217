"""Policies, their versions and tables, and what they decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from erp.accounts.models import User
from erp.governance.documents import Named, named
from erp.governance.models import DecisionRecord, Policy, PolicyVersion
from erp.governance.rules import BEGINNING, EVERYBODY, Problem, in_force, lint
from erp.governance.rules.standing import decides_until, superseded

DECISIONS_SHOWN = 25


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One policy in the list: the version that decides everywhere, and how many more there are."""

    id: int
    code: str
    title: str
    active: str
    active_since: datetime | None
    activated_by: str
    own_versions: int
    drafts: int


def policies(*, now: datetime) -> list[PolicyRow]:
    """Return every policy by its code. Two queries."""
    own = Count("versions", filter=Q(versions__state="active", versions__entity__isnull=False))
    drafts = Count("versions", filter=Q(versions__state__in=["draft", "reviewed"]))
    active = {
        version.policy_id: version
        for version in versions_in_force(
            PolicyVersion.objects.filter(state="active", entity=None).select_related(
                "activated_by"
            ),
            now,
        )
    }
    found = Policy.objects.annotate(own=own, drafts=drafts).order_by("code")
    return [_policy_row(policy, active.get(policy.pk)) for policy in found]


def versions_in_force(found: Iterable[PolicyVersion], now: datetime) -> list[PolicyVersion]:
    """Return those of `found` active versions that decide in their scope at `now`."""
    by_policy: dict[int, dict[int, PolicyVersion]] = {}
    for version in found:
        by_policy.setdefault(version.policy_id, {})[version.pk] = version
    return [
        versions[term.key]
        for versions in by_policy.values()
        for term in in_force([version.term for version in versions.values()], now).values()
    ]


def _policy_row(policy: Any, version: PolicyVersion | None) -> PolicyRow:
    return PolicyRow(
        id=policy.pk,
        code=policy.code,
        title=policy.title,
        active=f"v{version.number}" if version else "",
        active_since=version.activated_at if version and version.author_id else None,
        activated_by=_name(version.activated_by) if version else "",
        own_versions=policy.own,
        drafts=policy.drafts,
    )


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a policy. `entity_code` is empty when it is everybody's.

    `standing` says what an active one does now: in force, scheduled, covered (a later one with an
    end lies over it) or over. `until` is when it stops for good, as far as is known.
    """

    id: int
    number: int
    entity_code: str
    entity_id: int | None
    node: str
    standing: str
    valid_from: datetime | None
    until: datetime | None
    state: str
    note: str
    author: str
    author_id: int | None
    created_at: datetime
    activated_by: str
    activated_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a decision table as people read it: a sentence a condition, a value an outcome."""

    number: int
    conditions: Sequence[str]
    outcomes: Sequence[Any]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision about a document: by which version and row, on what, with what outcome."""

    at: datetime
    subject_kind: str
    subject_id: int
    subject: Named
    policy: str
    policy_version: str
    row: int | None
    inputs: Mapping[str, Any]
    outcome: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """One policy with one version's table."""

    id: int
    code: str
    title: str
    facts: Mapping[str, str]
    outcomes: Mapping[str, str]
    versions: Sequence[VersionRow]
    shown: VersionRow
    hit: str
    rows: Sequence[TableRow]
    problems: Sequence[Problem]
    decided: Sequence[DecisionRow]
    traits: Mapping[str, Any]
    limits: Mapping[str, Any]
    table: Mapping[str, Any]


def policy_page(
    *, code: str, entity_ids: Collection[int], now: datetime, number: int | None = None
) -> PolicyPage | None:
    """Return a policy with the table of version `number`, else of the one that decides everywhere.

    Versions of entities that are not among `entity_ids` are left out.
    """
    policy = Policy.objects.filter(code=code).first()
    if policy is None:
        return None
    found = list(versions_within(entity_ids).filter(policy=policy).order_by("-number"))
    active = [v for v in found if v.state == PolicyVersion.State.ACTIVE]
    deciding = versions_in_force(active, now)
    chosen = [v for v in found if v.number == number] if number else [
        v for v in deciding if (v.entity_id, v.node) == EVERYBODY
    ]  # fmt: skip
    if not chosen:
        return None
    rows = [_version_row(v, active, deciding, now) for v in found]
    decided = decisions_within(entity_ids).filter(version=chosen[0]).order_by("-at", "-id")
    return PolicyPage(
        id=policy.pk,
        code=policy.code,
        title=policy.title,
        facts=policy.fields,
        outcomes=policy.outcomes,
        versions=rows,
        shown=next(row for row in rows if row.id == chosen[0].pk),
        hit=chosen[0].table.get("hit", "first"),
        rows=[_table_row(n, row, policy) for n, row in enumerate(chosen[0].table["rows"], 1)],
        problems=lint(chosen[0].table, policy.schema),
        decided=_decision_rows(decided[:DECISIONS_SHOWN]),
        traits=policy.traits,
        limits=policy.limits,
        table=chosen[0].table,
    )


def versions_within(entity_ids: Collection[int]) -> QuerySet[PolicyVersion]:
    """Return everybody's versions and those of `entity_ids`."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return PolicyVersion.objects.filter(within).select_related(
        "policy", "entity", "author", "submitted_by", "activated_by"
    )


def decisions_of(subject_kind: str, subject_id: int, limit: int = 50) -> list[DecisionRow]:
    """Return what was decided about one document, the newest first. One query, by index."""
    found = DecisionRecord.objects.filter(
        subject_kind=subject_kind, subject_id=subject_id
    ).select_related("version__policy")
    return _decision_rows(found.order_by("-id")[:limit])


def _decision_rows(found: Iterable[DecisionRecord]) -> list[DecisionRow]:
    records = list(found)
    names = named((each.subject_kind, each.subject_id) for each in records)
    return [_decision_row(each, names[each.subject_kind, each.subject_id]) for each in records]


def _decision_row(each: DecisionRecord, subject: Named) -> DecisionRow:
    return DecisionRow(
        at=each.at,
        subject_kind=each.subject_kind,
        subject_id=each.subject_id,
        subject=subject,
        policy=each.version.policy.code,
        policy_version=f"{each.version.policy.code} v{each.version.number}",
        row=each.row,
        inputs=each.inputs,
        outcome=each.outcome,
    )


def decisions_within(entity_ids: Collection[int]) -> QuerySet[DecisionRecord]:
    """Return what was decided in these entities."""
    return DecisionRecord.objects.filter(entity_id__in=entity_ids).select_related(
        "version__policy", "entity"
    )


def _standing(
    version: PolicyVersion,
    active: Sequence[PolicyVersion],
    deciding: Sequence[PolicyVersion],
    now: datetime,
) -> str:
    if version.state != PolicyVersion.State.ACTIVE:
        return str(version.state)
    if version in deciding:
        return "in_force"
    if version.term.since > now:
        return "scheduled"
    is_over = superseded(version.term, [other.term for other in active], now)
    return "over" if is_over else "covered"


def _version_row(
    version: PolicyVersion,
    active: Sequence[PolicyVersion],
    deciding: Sequence[PolicyVersion],
    now: datetime,
) -> VersionRow:
    is_active = version.state == PolicyVersion.State.ACTIVE
    others = [other.term for other in active]
    return VersionRow(
        entity_id=version.entity_id,
        node=version.node,
        standing=_standing(version, active, deciding, now),
        valid_from=version.valid_from if version.valid_from != BEGINNING else None,
        until=decides_until(version.term, others) if is_active else version.valid_until,
        id=version.pk,
        number=version.number,
        entity_code=version.entity.code if version.entity else "",
        state=str(version.state),
        note=version.note,
        author=_name(version.author),
        author_id=version.author_id,
        created_at=version.created_at,
        activated_by=_name(version.activated_by),
        activated_at=version.activated_at,
        retired_at=version.retired_at,
    )


def _table_row(number: int, row: Mapping[str, Any], policy: Policy) -> TableRow:
    return TableRow(
        number=number,
        conditions=sentences(row),
        outcomes=[row["then"].get(name) for name in policy.outcomes],
    )


def sentences(row: Mapping[str, Any] | None) -> list[str]:
    """Return the conditions of a row as people read them."""
    return [_sentence(*condition) for condition in row["when"]] if row else []


def _sentence(field: str, operator: str, value: Any) -> str:
    name = field.replace("_", " ")
    if operator == "is empty":
        return f"{name} is empty" if value else f"{name} is not empty"
    if operator == "between":
        return f"{name} between {value[0]} and {value[1]}"
    if operator == "in":
        return f"{name} is {' or '.join(map(str, value))}"
    if isinstance(value, dict):
        times = f"{value['times']} * " if "times" in value else ""
        return f"{name} {operator} {times}{value['field'].replace('_', ' ')}"
    if isinstance(value, bool):
        return name if value else f"not {name}"
    return f"{name} {operator} {value}"


def _name(user: User | None) -> str:
    return str(user) if user is not None else ""
