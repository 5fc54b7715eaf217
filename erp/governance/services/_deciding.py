"""Decisions by policy: the active version answers, and every answer is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from erp.governance.models import PolicyVersion
from erp.governance.rules import (
    EVERYBODY,
    CompiledTable,
    Fact,
    Hit,
    Scope,
    Term,
    compile_table,
    in_force,
    nearest,
    read_table,
)
from erp.governance.services._recording import as_json
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run

ACTIVE = Prepared("""
    SELECT p.code, v.entity_id, v.node, v.id, v.activated_at, v.valid_from, v.valid_until
    FROM governance_policyversion v
    JOIN governance_policy p ON p.id = v.policy_id
    WHERE v.state = 'active'
""")
KEEP = Prepared("""
    INSERT INTO governance_decisionrecord (
        at, version_id, entity_id, node, subject_kind, subject_id, inputs, outcome, "row"
    )
    SELECT %(now)s, decision.*
    FROM unnest(
        %(versions)s::bigint[], %(entities)s::bigint[], %(nodes)s::text[], %(kinds)s::text[],
        %(subjects)s::bigint[], %(inputs)s::jsonb[], %(outcomes)s::jsonb[], %(rows)s::smallint[]
    ) AS decision
""")
COMPILED_MAX = 500

VersionKey = tuple[int, datetime]


class UnknownPolicy(LookupError):
    """No version of that policy is active: the code asks for one that nobody brought along."""


@dataclass(frozen=True, slots=True)
class Question:
    """One case to decide. `facts` are those the policy declares; one left out is empty.

    `node` is the code of the place it is about, where it is about one.
    """

    entity_id: int
    subject_kind: str
    subject_id: int
    facts: Mapping[str, Fact]
    node: str = ""


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

    def __init__(self, terms: dict[str, list[Term[VersionKey]]]) -> None:
        self.terms = terms
        self.found: dict[tuple[str, datetime], dict[Scope, Term[VersionKey]]] = {}

    def in_force(self, policy: str, now: datetime) -> dict[Scope, Term[VersionKey]]:
        """Return what decides in each scope; found once for a moment."""
        key = (policy, now)
        if key not in self.found:
            self.found[key] = in_force(self.terms.get(policy, ()), now)
        return self.found[key]

    def __call__(self) -> None:
        """Do nothing: standing among the commit hooks is what ties this to the transaction."""


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def decide(
    *, policy: str, questions: Sequence[Question], now: datetime, keep: bool = True
) -> list[Decision]:
    """Answer `questions`, in order, by the version in force at `now`.

    The node's own decides, else the entity's, else everybody's.
    With `keep`, each decision is written down with its inputs, in one statement. Which versions are
    active is read once a transaction, so that one transaction decides by one rule book.

    Raises:
        UnknownPolicy: nothing is active under that name.
        WrongFacts: a question names a fact that the policy does not declare, or of another type.
    """
    answers = ask_policy(policy=policy, questions=questions, now=now)
    if keep:
        keep_answers(answers=answers, now=now)
    return [answer.decision for answer in answers]


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def ask_policy(*, policy: str, questions: Sequence[Question], now: datetime) -> list[Answer]:
    """Answer `questions`, in order, as `decide` does, and write nothing down.

    Whoever asks several policies about one batch keeps all their answers at once (`keep_answers`).

    Raises:
        UnknownPolicy: nothing is active under that name.
        WrongFacts: a question names a fact that the policy does not declare, or of another type.
    """
    if not questions:
        return []
    by_version: dict[VersionKey, list[int]] = {}
    standing = _reading().in_force(policy, now)
    if len(standing) == 1 and EVERYBODY in standing:
        return _answers(standing[EVERYBODY].key, questions)
    for position, question in enumerate(questions):
        term = nearest(standing, question.entity_id, question.node)
        if term is None:
            raise UnknownPolicy(f"no version of {policy} is active")
        by_version.setdefault(term.key, []).append(position)
    found: list[Any] = [None] * len(questions)
    for key, positions in by_version.items():
        answers = _answers(key, [questions[position] for position in positions])
        for position, answer in zip(positions, answers, strict=True):
            found[position] = answer
    return found


def _answers(key: VersionKey, questions: Sequence[Question]) -> list[Answer]:
    ready = _ready(key)
    rows_of = ready.table.answers([question.facts for question in questions])
    made = ready.decisions
    return [
        Answer(question, made.get(answer) or ready.decision(answer))
        for question, answer in zip(questions, rows_of, strict=True)
    ]


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def keep_answers(*, answers: Sequence[Answer], now: datetime) -> None:
    """Write decisions down with their inputs, of however many policies. One statement."""
    if answers:
        _keep(answers, now)


def _reading() -> _Reading:
    """Return the active versions as this transaction read them, or reads them now."""
    for call in connection.run_on_commit:
        if isinstance(call[1], _Reading):
            return call[1]
    terms: dict[str, list[Term[VersionKey]]] = {}
    for code, entity, node, pk, at, since, until in rows(ACTIVE, {}):
        terms.setdefault(code, []).append(Term((pk, at), (entity, node), since, until))
    found = _Reading(terms)
    transaction.on_commit(found)
    return found


def read_again() -> None:
    """Forget what this transaction read: it has changed the versions itself."""
    connection.run_on_commit = [
        call for call in connection.run_on_commit if not isinstance(call[1], _Reading)
    ]


def _ready(key: VersionKey) -> _Ready:
    if key not in _compiled:
        version = PolicyVersion.objects.select_related("policy").get(pk=key[0])
        table = compile_table(read_table(version.table, version.policy.schema))
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
            "nodes": [question.node for question in questions],
            "kinds": [question.subject_kind for question in questions],
            "subjects": [question.subject_id for question in questions],
            "inputs": [as_json(question.facts) for question in questions],
            "outcomes": [decision.text for decision in decisions],
            "rows": [decision.row for decision in decisions],
        },
    )
