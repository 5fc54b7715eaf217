"""Policies, their versions and tables, and what they decided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from erp.accounts.models import User
from erp.governance.models import DecisionRecord, Policy, PolicyVersion
from erp.governance.rules import Problem, Schema, problems_of


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


def policies() -> list[PolicyRow]:
    """Return every policy by its code. Two queries."""
    own = Count("versions", filter=Q(versions__state="active", versions__entity__isnull=False))
    drafts = Count("versions", filter=Q(versions__state__in=["draft", "reviewed"]))
    active = {
        version.policy_id: version
        for version in PolicyVersion.objects.filter(state="active", entity=None).select_related(
            "activated_by"
        )
    }
    found = Policy.objects.annotate(own=own, drafts=drafts).order_by("code")
    return [_policy_row(policy, active.get(policy.pk)) for policy in found]


def _policy_row(policy: Any, version: PolicyVersion | None) -> PolicyRow:
    return PolicyRow(
        id=policy.pk,
        code=policy.code,
        title=policy.title,
        active=f"v{version.number}" if version else "",
        active_since=version.activated_at if version else None,
        activated_by=_name(version.activated_by) if version else "",
        own_versions=policy.own,
        drafts=policy.drafts,
    )


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a policy. `entity_code` is empty when it is everybody's."""

    id: int
    number: int
    entity_code: str
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
    decided: int


def policy_page(
    *, code: str, entity_ids: Collection[int], number: int | None = None
) -> PolicyPage | None:
    """Return a policy with the table of version `number`, else of the one that decides everywhere.

    Versions of entities that are not among `entity_ids` are left out.
    """
    policy = Policy.objects.filter(code=code).first()
    if policy is None:
        return None
    found = list(versions_within(entity_ids).filter(policy=policy).order_by("-number"))
    chosen = [v for v in found if v.number == number] if number else [
        v for v in found if v.entity_id is None and v.state == PolicyVersion.State.ACTIVE
    ]  # fmt: skip
    if not chosen:
        return None
    schema = Schema(policy.fields, policy.outcomes)
    return PolicyPage(
        id=policy.pk,
        code=policy.code,
        title=policy.title,
        facts=policy.fields,
        outcomes=policy.outcomes,
        versions=[_version_row(version) for version in found],
        shown=_version_row(chosen[0]),
        hit=chosen[0].table.get("hit", "first"),
        rows=[_table_row(n, row, policy) for n, row in enumerate(chosen[0].table["rows"], 1)],
        problems=problems_of(chosen[0].table, schema),
        decided=DecisionRecord.objects.filter(version=chosen[0], entity_id__in=entity_ids).count(),
    )


def versions_within(entity_ids: Collection[int]) -> QuerySet[PolicyVersion]:
    """Return everybody's versions and those of `entity_ids`."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return PolicyVersion.objects.filter(within).select_related(
        "policy", "entity", "author", "activated_by"
    )


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision about a document: by which version and row, on what, with what outcome."""

    at: datetime
    policy: str
    policy_version: str
    row: int | None
    inputs: Mapping[str, Any]
    outcome: Mapping[str, Any]


def decisions_of(subject_kind: str, subject_id: int, limit: int = 50) -> list[DecisionRow]:
    """Return what was decided about one document, the newest first. One query, by index."""
    found = DecisionRecord.objects.filter(
        subject_kind=subject_kind, subject_id=subject_id
    ).select_related("version__policy")
    return [
        DecisionRow(
            at=each.at,
            policy=each.version.policy.code,
            policy_version=f"{each.version.policy.code} v{each.version.number}",
            row=each.row,
            inputs=each.inputs,
            outcome=each.outcome,
        )
        for each in found.order_by("-id")[:limit]
    ]


def decisions_within(entity_ids: Collection[int]) -> QuerySet[DecisionRecord]:
    """Return what was decided in these entities."""
    return DecisionRecord.objects.filter(entity_id__in=entity_ids).select_related(
        "version", "entity"
    )


def _version_row(version: PolicyVersion) -> VersionRow:
    return VersionRow(
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
        conditions=[_sentence(*condition) for condition in row["when"]],
        outcomes=[row["then"].get(name) for name in policy.outcomes],
    )


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
