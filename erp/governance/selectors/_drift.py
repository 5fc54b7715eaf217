"""Where versions differ: from one another, and of entities and nodes from everybody's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules import (
    EVERYBODY,
    BadTable,
    Problem,
    RowChange,
    beyond_limits,
    compare,
    differing,
    in_force,
    read_table,
)
from erp.governance.selectors._policies import sentences, versions_within


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that differs, in words. `kind` is added, removed, moved or changed.

    Row numbers count from one; None where the row is not there.
    """

    kind: str
    before: int | None
    after: int | None
    when_before: Sequence[str]
    when_after: Sequence[str]
    then_before: Mapping[str, Any]
    then_after: Mapping[str, Any]
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One entity or node that decides by its own version, and how that differs from everybody's."""

    policy: str
    title: str
    entity_code: str
    node: str
    number: int
    since: datetime
    everybody: int
    locked: bool
    differences: Sequence[RowDifference]
    beyond: Sequence[Problem]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[RowDifference]:
    """Return the rows in which two tables differ, in the order of `after`."""
    return [_said(change, before, after) for change in differing(compare(before, after))]


def drift(*, entity_ids: Collection[int], now: datetime, code: str | None = None) -> list[DriftRow]:
    """Return each own version in force within `entity_ids`, by policy, entity and node.

    Two queries.
    """
    found = versions_within(entity_ids).filter(state=PolicyVersion.State.ACTIVE)
    if code is not None:
        found = found.filter(policy__code=code)
    by_policy: dict[int, list[PolicyVersion]] = {}
    for version in found:
        by_policy.setdefault(version.policy_id, []).append(version)
    rows = [row for versions in by_policy.values() for row in _of_policy(versions, now)]
    return sorted(rows, key=lambda row: (row.policy, row.entity_code, row.node))


def _of_policy(versions: Sequence[PolicyVersion], now: datetime) -> list[DriftRow]:
    policy = versions[0].policy
    by_id = {version.pk: version for version in versions}
    standing = in_force([version.term for version in versions], now)
    if EVERYBODY not in standing:
        return []
    everybody = by_id[standing[EVERYBODY].key]
    return [
        _drift_row(policy, by_id[term.key], everybody)
        for scope, term in standing.items()
        if scope != EVERYBODY
    ]


def _drift_row(policy: Policy, own: PolicyVersion, everybody: PolicyVersion) -> DriftRow:
    assert own.entity is not None
    assert own.valid_from is not None
    return DriftRow(
        policy=policy.code,
        title=policy.title,
        entity_code=own.entity.code,
        node=own.node,
        number=own.number,
        since=own.valid_from,
        everybody=everybody.number,
        locked=policy.limits.get("policy") == "locked",
        differences=differences(everybody.table, own.table),
        beyond=_beyond(policy, own, everybody),
    )


def _beyond(policy: Policy, own: PolicyVersion, everybody: PolicyVersion) -> list[Problem]:
    try:
        tables = [read_table(each.table, policy.schema) for each in (own, everybody)]
    except BadTable as error:
        return [Problem(error.row, str(error))]
    return beyond_limits(tables[0], tables[1], policy.limits)


def _said(change: RowChange, before: Mapping[str, Any], after: Mapping[str, Any]) -> RowDifference:
    old = before["rows"][change.before] if change.before is not None else None
    new = after["rows"][change.after] if change.after is not None else None
    return RowDifference(
        kind=change.kind,
        before=None if change.before is None else change.before + 1,
        after=None if change.after is None else change.after + 1,
        when_before=sentences(old),
        when_after=sentences(new),
        then_before=old["then"] if old else {},
        then_after=new["then"] if new else {},
        fields=change.fields,
    )
