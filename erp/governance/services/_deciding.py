"""Decisions by policy: the active version answers, and every answer is kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, overload

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
from erp.governance.services._recording import as_json, as_json_list
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run

ACTIVE = Prepared("""
    SELECT p.code, v.entity_id, v.node, v.id, v.activated_at, v.valid_from, v.valid_until
    FROM governance_policyversion v
    JOIN governance_policy p ON p.id = v.policy_id
    WHERE v.state = 'active'
""")
# What many answers have in common is sent once, and all their inputs as one text.
KEEP = Prepared("""
    INSERT INTO governance_decisionrecord (
        at, version_id, entity_id, node, subject_kind, subject_id, inputs, outcome, "row"
    )
    SELECT %(now)s::timestamptz, about.version_id, about.entity_id, about.node, about.kind,
           asked.subject_id, asked.inputs, about.outcome, about."row"
    FROM ROWS FROM (
        unnest(%(subjects)s::bigint[]), unnest(%(alike)s::int[]),
        jsonb_array_elements(%(inputs)s::jsonb)
    ) WITH ORDINALITY AS asked (subject_id, alike, inputs, turn)
    JOIN ROWS FROM (
        unnest(%(versions)s::bigint[]), unnest(%(entities)s::bigint[]), unnest(%(nodes)s::text[]),
        unnest(%(kinds)s::text[]), unnest(%(outcomes)s::jsonb[]), unnest(%(rows)s::smallint[])
    ) WITH ORDINALITY AS about (version_id, entity_id, node, kind, outcome, "row", number)
        ON about.number = asked.alike
    ORDER BY asked.turn
""")
KEPT_AT_ONCE = 20_000
COMPILED_MAX = 500

VersionKey = tuple[int, datetime]


class UnknownPolicy(LookupError):
    """No version of that policy is active: the code asks for one that nobody brought along."""


class Question(NamedTuple):
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


class Answer(NamedTuple):
    """One question with what a policy decided about it."""

    question: Question
    decision: Decision


class Answers(Sequence[Answer]):
    """Answers in the order of their questions; each is put together when it is looked at."""

    __slots__ = ("decisions", "questions")

    def __init__(self, questions: Sequence[Question], decisions: Sequence[Decision]) -> None:
        self.questions, self.decisions = questions, decisions

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Answer]:
        return map(Answer, self.questions, self.decisions)

    @overload
    def __getitem__(self, at: int) -> Answer: ...
    @overload
    def __getitem__(self, at: slice) -> "Answers": ...
    def __getitem__(self, at: int | slice) -> "Answer | Answers":
        if isinstance(at, slice):
            return Answers(self.questions[at], self.decisions[at])
        return Answer(self.questions[at], self.decisions[at])


class _Ready(dict[tuple[int, ...], Decision]):
    """One version, compiled: the decisions, by the rows that answer. Each is made once."""

    def __init__(self, table: CompiledTable, label: str, version_id: int) -> None:
        super().__init__()
        self.table, self.label, self.version_id = table, label, version_id

    def __missing__(self, answer: tuple[int, ...]) -> Decision:
        said = [self.table.outcomes[number] for number in answer]
        if self.table.table.hit is Hit.COLLECT:
            names = self.table.table.schema.outcomes
            outcome: dict[str, Any] = {name: [row[name] for row in said] for name in names}
        else:
            outcome = said[0] if said else {}
        text = as_json(outcome) or "{}"
        row = answer[0] if answer else None
        made = self[answer] = Decision(outcome, self.label, self.version_id, row, text)
        return made


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
    return list(answers.decisions)


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def ask_policy(*, policy: str, questions: Sequence[Question], now: datetime) -> Answers:
    """Answer `questions`, in order, as `decide` does, and write nothing down.

    Whoever asks several policies about one batch keeps all their answers at once (`keep_answers`).

    Raises:
        UnknownPolicy: nothing is active under that name.
        WrongFacts: a question names a fact that the policy does not declare, or of another type.
    """
    if not questions:
        return Answers([], [])
    by_version: dict[VersionKey, list[int]] = {}
    standing = _reading().in_force(policy, now)
    if len(standing) == 1 and EVERYBODY in standing:
        return Answers(questions, _decided(standing[EVERYBODY].key, questions))
    for position, question in enumerate(questions):
        term = nearest(standing, question.entity_id, question.node)
        if term is None:
            raise UnknownPolicy(f"no version of {policy} is active")
        by_version.setdefault(term.key, []).append(position)
    found: list[Any] = [None] * len(questions)
    for key, positions in by_version.items():
        decisions = _decided(key, [questions[position] for position in positions])
        for position, decision in zip(positions, decisions, strict=True):
            found[position] = decision
    return Answers(questions, found)


def _decided(key: VersionKey, questions: Sequence[Question]) -> list[Decision]:
    ready = _ready(key)
    rows_of = ready.table.answers([question.facts for question in questions])
    return list(map(ready.__getitem__, rows_of))


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def keep_answers(*, answers: Sequence[Answer], now: datetime) -> None:
    """Write decisions down with their inputs, of however many policies.

    One statement for each twenty thousand.
    """
    for start in range(0, len(answers), KEPT_AT_ONCE):
        _keep(answers[start : start + KEPT_AT_ONCE], now)


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
        _compiled[key] = _Ready(table, label, version.pk)
    return _compiled[key]


def _keep(answers: Sequence[Answer], now: datetime) -> None:
    alike: dict[tuple[int, tuple[Any, ...]], int] = {}  # what is the same, numbered from one
    about: list[tuple[Any, ...]] = []
    numbers: list[int] = []
    for question, decision in answers:
        shared = (question.entity_id, question.node, question.subject_kind)
        number = alike.setdefault((id(decision), shared), len(alike) + 1)
        if number > len(about):
            about.append((decision, *shared))
        numbers.append(number)
    decisions = [each[0] for each in about]
    run(
        KEEP,
        {
            "now": now,
            "subjects": [question.subject_id for question, _ in answers],
            "alike": numbers,
            "inputs": as_json_list([question.facts for question, _ in answers]),
            "versions": [decision.version_id for decision in decisions],
            "entities": [each[1] for each in about],
            "nodes": [each[2] for each in about],
            "kinds": [each[3] for each in about],
            "outcomes": [decision.text for decision in decisions],
            "rows": [decision.row for decision in decisions],
        },
    )
