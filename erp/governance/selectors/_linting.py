"""What is wrong with a table, with real cases of the past that it leaves without an answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erp.governance.models import DecisionRecord, Policy, PolicyVersion
from erp.governance.rules import (
    EVERYBODY,
    BadTable,
    Hit,
    Problem,
    Scope,
    beyond_limits,
    in_force,
    lint,
    read_table,
)
from erp.governance.rules.replaying import Recorded, Replayer, used_by

DAYS = 30
CASES_MAX = 2_000
EXAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class PastCase:
    """One recorded decision for which a table has no row."""

    subject_kind: str
    subject_id: int
    at: datetime
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lint:
    """What lint says. `uncovered` of the `looked_at` newest decisions find no row in the table."""

    problems: Sequence[Problem]
    looked_at: int
    uncovered: int
    examples: Sequence[PastCase]

    @property
    def errors(self) -> int:
        return sum(problem.level == "error" for problem in self.problems)


def lint_of(
    *,
    policy: Policy,
    table: Any,
    scope: Scope,
    entity_ids: Collection[int],
    now: datetime,
    days: int = DAYS,
) -> Lint:
    """Return everything that is wrong with a table that is meant for `scope`.

    A first-match table is held against the newest 2,000 decisions of the last `days` days in
    `entity_ids`; a table that collects may well have no row for a case. At most four queries.
    """
    schema = policy.schema
    problems = lint(table, schema)
    try:
        read = read_table(table, schema)
    except BadTable:
        return Lint(problems, 0, 0, ())
    everybody = None if scope == EVERYBODY else _everybodys(policy, now)
    if everybody is not None:
        problems += beyond_limits(read, read_table(everybody, schema), policy.limits)
    has_gap = any(problem.code == "gap" for problem in problems)
    if read.hit is Hit.COLLECT or not has_gap:
        return Lint(problems, 0, 0, ())
    known = {v.pk: used_by(v.table) for v in policy.versions.all()}
    past = list(
        DecisionRecord.objects.filter(
            version__in=known, entity_id__in=entity_ids, at__gte=now - timedelta(days=days)
        ).order_by("-at", "-id")[:CASES_MAX]
    )
    answers = Replayer(read).answers([Recorded(p.inputs, known[p.version_id]) for p in past])
    left = [p for p, answer in zip(past, answers, strict=True) if answer == ()]
    examples = [PastCase(p.subject_kind, p.subject_id, p.at, p.inputs) for p in left]
    return Lint(problems, len(past), len(left), examples[:EXAMPLES_MAX])


def _everybodys(policy: Policy, now: datetime) -> Any:
    found = {
        v.pk: v for v in PolicyVersion.objects.filter(policy=policy, entity=None, state="active")
    }
    term = in_force([version.term for version in found.values()], now).get(EVERYBODY)
    return found[term.key].table if term else None
