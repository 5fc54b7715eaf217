"""What a plan is made of, as columns: demand, supply, and the ways from one to the other.

Every quantity is in whole thousandths of the base unit (steps), every day an ordinal, every amount
in minor units of the owner's currency. Zero stands for "none" where a column names something.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from inventory.rules.steps import PER_UNIT

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Rank = tuple[int, int, int]

NEVER = 2**62  # later than any day, more than any quantity
ANY = -1


class Rule(IntFlag):
    """What a line insists on."""

    NONE = 0
    SHIP_COMPLETE = 1  # every line of its group in full, or none
    LINE_COMPLETE = 2  # this line in full, or nothing
    NO_SPLIT = 4  # its group leaves from one node
    NO_SUBSTITUTES = 8
    ONLY_NODES = 16  # names the list of nodes: said of lines that have one
    FRESH = 32  # names the least shelf life: said of lines that have one
    NODES_MAX = 64  # leaves from at most so many nodes: said of lines that have such a number


class Consent(IntEnum):
    """Whether a customer takes another product instead."""

    ASK = 0
    ALWAYS = 1
    NEVER = 2
    EVERY_TIME = 3  # is asked, whatever else is said


class Mode(IntEnum):
    """How something from a supply gets to the line."""

    STOCK = 0
    INBOUND = 1  # on its way here: pegged
    TRANSFER = 2
    AFFILIATE = 3  # bought from another company of the house
    SUBSTITUTE = 4
    BUY = 5
    DROP_SHIP = 6


class Criterion(StrEnum):
    """By what a line prefers one node to another, in the built-in order."""

    NAMED = "named"
    WHOLE_LINE = "whole_line"
    WHOLE_ORDER = "whole_order"
    MOST = "most"
    SCORE = "score"


NODES_BY = (Criterion.NAMED, Criterion.WHOLE_LINE, Criterion.WHOLE_ORDER, Criterion.MOST)


class Rejection(StrEnum):
    """Why a candidate gave nothing."""

    CLOSED = "closed"
    NOT_ALLOWED = "not_allowed"
    EMPTY = "empty"
    TAKEN = "taken"
    NOT_NEEDED = "not_needed"
    SPLIT = "split"
    INCOMPLETE = "incomplete"
    TOO_OLD = "too_old"
    NO_SUBSTITUTE = "no_substitute"
    NEEDS_CONSENT = "needs_consent"
    PROTECTED = "protected"
    AT_CAPACITY = "at_capacity"
    SPLIT_TOO_SMALL = "split_too_small"
    NOT_WORTH_IT = "not_worth_it"
    SHARED = "shared"
    POLICY = "policy"
    UNPRICED = "unpriced"


REASONS: tuple[Rejection | None, ...] = (None, *Rejection)
CODE = {reason: number for number, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Want:
    """One line: `steps` of a product out of what `owner` owns. The lowest `rank` goes first.

    `rank` is (class, due day, id). `only` are the nodes it may be served from; None is any.
    `weight` is what a day's delay costs, `value` what a base unit sells for, both in minor units.
    `barred` are the modes in which it may not be served: 1 << mode, added up.
    """

    id: int
    owner: int
    product: int
    steps: int
    rank: Rank
    group: int
    node: int | None = None
    ship_complete: bool = False
    no_split: bool = False
    only: frozenset[int] | None = None
    line_complete: bool = False
    no_substitutes: bool = False
    nodes_max: int = 0
    soft: Rule = Rule.NONE
    segment: int = 0
    weight: int = 0
    value: int = 0
    fresh_until: int = 0
    multiple: int = 1
    minimum: int = 0
    consent: Consent = Consent.ASK
    barred: int = 0

    @property
    def rules(self) -> Rule:
        """What the line insists on."""
        said = {
            Rule.SHIP_COMPLETE: self.ship_complete,
            Rule.LINE_COMPLETE: self.line_complete,
            Rule.NO_SPLIT: self.no_split,
            Rule.NO_SUBSTITUTES: self.no_substitutes,
            Rule.ONLY_NODES: self.only is not None,
            Rule.FRESH: self.fresh_until > 0,
            Rule.NODES_MAX: self.nodes_max > 0,
        }
        return Rule(sum(rule for rule, holds in said.items() if holds))


@dataclass(frozen=True, slots=True)
class Source:
    """One supply: `steps` that nobody has reserved. A closed node gives nothing.

    It could leave on `day`, and is good until `expires`. To serve a line from it costs `fixed`, and
    `per_unit` for each base unit.
    """

    id: int
    owner: int
    product: int
    node: int
    steps: int
    is_open: bool = True
    mode: Mode = Mode.STOCK
    day: int = 0
    expires: int = NEVER
    fixed: int = 0
    per_unit: int = 0


ZERO: Any = 0
ONE: Any = 1


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows as columns of one length. A number given for a column stands for all of its rows."""

    id: Ints

    def __post_init__(self) -> None:
        length = len(self.id)
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "sets":
                continue
            column = np.asarray(value, np.int64)
            if column.ndim == 0:
                column = np.full(length, column)
            object.__setattr__(self, each.name, column)

    def __len__(self) -> int:
        return len(self.id)

    def at(self, chosen: Any) -> Self:
        """Return the rows that an index or a mask chooses."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return type(self)(**{k: v if k == "sets" else v[chosen] for k, v in held.items()})


@dataclass(frozen=True, slots=True)
class Wants(Columns):
    """Lines as columns: what `Want` says of one. `only` is a place among `sets`; ANY is any node.

    Each id stands once.
    """

    owner: Ints
    product: Ints
    steps: Ints
    priority: Ints
    due: Ints
    group: Ints
    node: Ints = ZERO
    rules: Ints = ZERO
    only: Ints = ANY  # type: ignore[assignment]
    nodes_max: Ints = ZERO
    soft: Ints = ZERO
    segment: Ints = ZERO
    weight: Ints = ZERO
    value: Ints = ZERO
    fresh_until: Ints = ZERO
    multiple: Ints = ONE
    minimum: Ints = ZERO
    consent: Ints = ZERO
    barred: Ints = ZERO
    sets: Sequence[frozenset[int]] = ()

    @classmethod
    def of(cls, wants: Iterable[Want]) -> "Wants":
        """Return `wants` as columns."""
        rows = list(wants)
        sets = list(dict.fromkeys(want.only for want in rows if want.only is not None))
        place = {nodes: number for number, nodes in enumerate(sets)}
        same = (
            *("id", "owner", "product", "steps", "group", "nodes_max", "soft", "segment"),
            *("weight", "value", "fresh_until", "multiple", "minimum", "consent", "barred"),
        )
        columns: dict[str, Any] = {name: [getattr(want, name) for want in rows] for name in same}
        return cls(
            priority=_column(want.rank[0] for want in rows),
            due=_column(want.rank[1] for want in rows),
            node=_column(want.node or 0 for want in rows),
            rules=_column(int(want.rules) for want in rows),
            only=_column(ANY if want.only is None else place[want.only] for want in rows),
            sets=sets,
            **{name: _column(column) for name, column in columns.items()},
        )


@dataclass(frozen=True, slots=True)
class Sources(Columns):
    """Supplies as columns: what `Source` says of one."""

    owner: Ints
    product: Ints
    node: Ints
    steps: Ints
    is_open: Ints = ONE
    mode: Ints = ZERO
    day: Ints = ZERO
    expires: Ints = NEVER  # type: ignore[assignment]
    fixed: Ints = ZERO
    per_unit: Ints = ZERO

    @classmethod
    def of(cls, sources: Iterable[Source]) -> "Sources":
        """Return `sources` as columns."""
        rows = list(sources)
        return cls(
            **{
                each.name: _column(int(getattr(source, each.name)) for source in rows)
                for each in fields(cls)
            }
        )


class Substitution(NamedTuple):
    """`per` steps of `by` do for `units` of `product`, whole times, from one day to another.

    Of several the lowest `rank` goes first. `margin` is what each base unit of `product` served so
    loses, in minor units: the price rule (the substitute's price, the original's, the lower) comes
    down to it. `consent` is the customer's, unless the line says more.
    """

    product: int
    by: int
    units: int = 1
    per: int = 1
    consent: Consent = Consent.ASK
    since: int = 0
    until: int = NEVER
    margin: int = 0
    rank: int = 0


class Lane(NamedTuple):
    """A way to move stock from one node to another, from which it then leaves."""

    origin: int
    target: int
    days: int
    fixed: int = 0
    per_unit: int = 0


class Affiliation(NamedTuple):
    """A company that may sell to another of the house; `fixed` and `per_unit` are its price.

    With `product`, of that product alone. With `moves`, what it sells goes over a lane first.
    """

    seller: int
    buyer: int
    days: int = 0
    fixed: int = 0
    per_unit: int = 0
    product: int = 0
    moves: bool = False


class Segment(NamedTuple):
    """A part of demand. The lowest `rank` among siblings is the highest; 0 is the root's id."""

    id: int
    parent: int = 0
    rank: int = 0
    lends: bool = True  # others may take what is protected for it, if they rank higher


class Protection(NamedTuple):
    """So much of a product is kept for a segment (`floor`), and it gets no more than `cap`.

    Both are steps for the period that the plan is about, less what was used of it. `node` 0 is
    anywhere.
    """

    segment: int
    owner: int
    product: int
    node: int = 0
    floor: int = 0
    cap: int = NEVER


@dataclass(frozen=True, slots=True)
class Policy:
    """The weights of a plan.

    Lines rank by class, day and id, or with `day_first` by day, class and id. The first criterion
    of `nodes_by` that tells two nodes apart decides. Amounts are minor units: `split_cost` for each
    further node, `split_minimum` what both the part given and the part left must be worth,
    `expedite_cost` for being up to `expedite_days` faster. With `wait_days`, a candidate that costs
    more than waiting so long is passed over.
    """

    nodes_by: tuple[Criterion, ...] = NODES_BY
    day_first: bool = False
    allows_partial: bool = True
    fair_share: bool = False
    protects: bool = True
    split_cost: int = 0
    split_minimum: int = 0
    expedite_cost: int = 0
    expedite_days: int = 0
    wait_days: int | None = None
    today: int = 0  # the day the plan is made: what a substitution's validity is held against
    capacity: Sequence[tuple[int, int]] = ()  # (node, how many more lines it can pick)
    substitutions: Sequence[Substitution] = ()
    lanes: Sequence[Lane] = ()
    affiliations: Sequence[Affiliation] = ()
    segments: Sequence[Segment] = ()
    protections: Sequence[Protection] = ()

    @property
    def binds_more_than_rank(self) -> bool:
        """Test if a line may stay short for another reason than those that rank before it."""
        return bool(
            self.fair_share
            or self.split_minimum
            or self.wait_days is not None
            or self.capacity
            or (self.protects and self.protections)
            or self.lanes
            or self.affiliations
        )


def _column(values: Iterable[Any]) -> Ints:
    return np.fromiter((int(value) for value in values), np.int64)


def scaled(per_unit: Ints, steps: Ints) -> Ints:
    """Return what so many steps cost at `per_unit` a base unit, rounded up to a minor unit."""
    return -((-per_unit * steps) // PER_UNIT)
