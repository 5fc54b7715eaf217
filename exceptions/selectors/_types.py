"""What a type of case is, and how conditions of it are found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from erp.kernel.sql import records
from exceptions.rules.conditions import Condition
from exceptions.rules.exposure import Exposure

Row = Mapping[str, Any]


class Pace(Enum):
    """What tells that a condition may have come or gone: facts, time passing, or a full count."""

    EVENTS = "events"
    CLOCK = "clock"
    NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseType:
    """One kind of condition. It holds for each row that `statement` returns, and for no other.

    The statement takes `now`, `subjects` and `orders` (arrays of ids, null for all), besides what
    `terms` answers of policies in force, and returns
    `subject_id, subject_label, entity_id, currency, order_id, party` and what the two functions
    read. `facts` are the columns that stay on the case. Of a type with a `cause_kind` the
    statement also returns `cause_id`; cases of a type that gathers are the parents of those whose
    cause is their subject.
    """

    code: str
    label: str
    subject_kind: str
    statement: str
    expose: Callable[[Row], Exposure]
    describe: Callable[[Row], str]
    facts: tuple[str, ...] = ()
    plays: tuple[str, ...] = ()
    pace: Pace = Pace.EVENTS
    self_clearing: bool = True
    cause_kind: str = ""
    gathers: bool = False
    terms: Callable[[datetime], Mapping[str, Any]] | None = None

    def find(
        self,
        *,
        now: datetime,
        subject_ids: Sequence[int] | None = None,
        order_ids: Sequence[int] | None = None,
    ) -> list[Condition]:
        """Return the conditions that hold now, of some subjects or orders or of all.

        One query, besides those that the terms take.
        """
        params: dict[str, Any] = {
            "now": now, "subjects": ids(subject_ids), "orders": ids(order_ids),
        }  # fmt: skip
        if self.terms is not None:
            params |= self.terms(now)
        return [self._condition(row) for row in records(self.statement, params)]

    def _condition(self, row: Row) -> Condition:
        return Condition(
            type=self.code,
            subject_kind=self.subject_kind,
            subject_id=row["subject_id"],
            subject_label=row["subject_label"][:120],
            entity_id=row["entity_id"],
            currency=row["currency"],
            order_id=row["order_id"],
            party=row["party"][:200],
            summary=self.describe(row)[:300],
            exposure=self.expose(row),
            facts={name: plain(row[name]) for name in self.facts},
            cause=(self.cause_kind, row["cause_id"])
            if self.cause_kind and row["cause_id"] is not None
            else None,
        )


def ids(given: Sequence[int] | None) -> list[int] | None:
    return None if given is None else [int(one) for one in given]


def plain(value: Any) -> str | int | bool | None:
    """Return a column's value as JSON keeps it exactly: decimals and dates as text."""
    return value if value is None or isinstance(value, str | int | bool) else str(value)


TODAY = "(%(now)s::timestamptz AT TIME ZONE e.time_zone)::date"  # business date of entity `e`
WITHIN = """
    (%(subjects)s::bigint[] IS NULL OR {subject} = ANY(%(subjects)s::bigint[]))
    AND (%(orders)s::bigint[] IS NULL OR {order} = ANY(%(orders)s::bigint[]))
"""


def statement(text: str, *, subject: str, order: str = "NULL::bigint", **parts: str) -> str:
    """Return `text` with its parts filled in.

    `{within}` narrows it to the ids it was asked about, `{today}` is the business date of `e`.
    """
    narrowed = WITHIN.replace("{subject}", subject).replace("{order}", order)
    for name, part in {**parts, "within": narrowed, "today": TODAY}.items():
        text = text.replace(f"{{{name}}}", part)
    return text
