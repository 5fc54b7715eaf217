"""Decisions by policy: the active version answers, and every answer is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from erp.governance.models import PolicyVersion
from erp.governance.rules import CompiledTable, Fact, Hit, Schema, compile_table, read_table
from erp.governance.services._recording import as_json
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run

ACTIVE = Prepared("""
    SELECT p.code, v.entity_id, v.id, v.activated_at
    FROM governance_policyversion v
    JOIN governance_policy p ON p.id = v.policy_id
    WHERE v.state = 'active'
""")
KEEP = Prepared("""
    INSERT INTO governance_decisionrecord (
        at, version_id, entity_id, subject_kind, subject_id, inputs, outcome, "row"
    )
    SELECT %(now)s, decision.*
    FROM unnest(
        %(versions)s::bigint[], %(entities)s::bigint[], %(kinds)s::text[], %(subjects)s::bigint[],
        %(inputs)s::jsonb[], %(outcomes)s::jsonb[], %(rows)s::smallint[]
    ) AS decision
""")
COMPILED_MAX = 500

VersionKey = tuple[int, datetime]


class UnknownPolicy(LookupError):
    """No version of that policy is active: the code asks for one that nobody brought along."""


@dataclass(frozen=True, slots=True)
class Question:
    """One case to decide. `facts` are those the policy declares; one left out is empty."""

    entity_id: int
    subject_kind: str
    subject_id: int
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which row (from zero) of which version. Not to be changed.

    Where a table collects, each outcome is the list of what the rows that hold say, in row order.
    """

    outcome: Mapping[str, Any]
    policy_version: str
    version_id: int
    row: int | None
    text: str = field(default="{}", repr=False, compare=False)  # the outcome as JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with what a policy decided about it."""

    question: Question
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Ready:
    """One version, compiled. `decisions` are those already given, by the rows that answered."""

    table: CompiledTable
    label: str
    version_id: int
    decisions: dict[tuple[int, ...], Decision]

    def decision(self, answer: tuple[int, ...]) -> Decision:
        """Return the decision, made once for all cases alike."""
        if answer not in self.decisions:
            said = [self.table.outcomes[number] for number in answer]
            if self.table.table.hit is Hit.COLLECT:
                names = self.table.table.schema.outcomes
                outcome: dict[str, Any] = {name: [row[name] for row in said] for name in names}
            else:
                outcome = said[0] if said else {}
            self.decisions[answer] = Decision(
                outcome,
                self.label,
                self.version_id,
                answer[0] if answer else None,
                as_json(outcome) or "{}",
            )
        return self.decisions[answer]


_compiled: dict[VersionKey, _Ready] = {}  # an active version's table never changes


class _Reading:
    """The active versions as the present transaction found them. Forgotten when it ends."""

    def __init__(self, versions: dict[tuple[str, int | None], VersionKey]) -> None:
        self.versions = versions

    def __call__(self) -> None:
        """Do nothing: standing among the commit hooks is what ties this to the transaction."""


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def decide(
    *, policy: str, questions: Sequence[Question], now: datetime, keep: bool = True
) -> list[Decision]:
    """Answer `questions`, in order, by the active version: the entity's own, else everybody's.

    With `keep`, each decision is written down with its inputs, in one statement. Which versions are
    active is read once a transaction, so that one transaction decides by one rule book.

    Raises:
        UnknownPolicy: nothing is active under that name.
        WrongFacts: a question names a fact that the policy does not declare, or of another type.
    """
    answers = ask_policy(policy=policy, questions=questions)
    if keep:
        keep_answers(answers=answers, now=now)
    return [answer.decision for answer in answers]


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def ask_policy(*, policy: str, questions: Sequence[Question]) -> list[Answer]:
    """Answer `questions`, in order, as `decide` does, and write nothing down.

    Whoever asks several policies about one batch keeps all their answers at once (`keep_answers`).

    Raises:
        UnknownPolicy: nothing is active under that name.
        WrongFacts: a question names a fact that the policy does not declare, or of another type.
    """
    by_version: dict[VersionKey, list[int]] = {}
    active = active_versions()
    for position, question in enumerate(questions):
        key = active.get((policy, question.entity_id)) or active.get((policy, None))
        if key is None:
            raise UnknownPolicy(f"no version of {policy} is active")
        by_version.setdefault(key, []).append(position)
    found: list[Any] = [None] * len(questions)
    for key, positions in by_version.items():
        ready = _ready(key)
        answers = ready.table.answers([questions[position].facts for position in positions])
        for position, answer in zip(positions, answers, strict=True):
            found[position] = Answer(questions[position], ready.decision(answer))
    return found


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def keep_answers(*, answers: Sequence[Answer], now: datetime) -> None:
    """Write decisions down with their inputs, of however many policies. One statement."""
    if answers:
        _keep(answers, now)


def active_versions() -> dict[tuple[str, int | None], VersionKey]:
    """Return the active version of each policy and entity (None: everybody's)."""
    for call in connection.run_on_commit:
        if isinstance(call[1], _Reading):
            return call[1].versions
    found = {(code, entity): (pk, at) for code, entity, pk, at in rows(ACTIVE, {})}
    transaction.on_commit(_Reading(found))
    return found


def read_again() -> None:
    """Forget what this transaction read: it has changed the versions itself."""
    connection.run_on_commit = [
        call for call in connection.run_on_commit if not isinstance(call[1], _Reading)
    ]


def _ready(key: VersionKey) -> _Ready:
    if key not in _compiled:
        version = PolicyVersion.objects.select_related("policy").get(pk=key[0])
        schema = Schema(version.policy.fields, version.policy.outcomes)
        table = compile_table(read_table(version.table, schema))
        if len(_compiled) >= COMPILED_MAX:
            _compiled.clear()
        label = f"{version.policy.code} v{version.number}"
        _compiled[key] = _Ready(table, label, version.pk, {})
    return _compiled[key]


def _keep(answers: Sequence[Answer], now: datetime) -> None:
    questions = [answer.question for answer in answers]
    decisions = [answer.decision for answer in answers]
    run(
        KEEP,
        {
            "now": now,
            "versions": [decision.version_id for decision in decisions],
            "entities": [question.entity_id for question in questions],
            "kinds": [question.subject_kind for question in questions],
            "subjects": [question.subject_id for question in questions],
            "inputs": [as_json(question.facts) for question in questions],
            "outcomes": [decision.text for decision in decisions],
            "rows": [decision.row for decision in decisions],
        },
    )
