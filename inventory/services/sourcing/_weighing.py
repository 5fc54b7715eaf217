"""Weighs every way to get from elsewhere what the shelf could not give, in one plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from erp.governance.services import Decision, Fact, Question, decide
from inventory.rules import Criterion, Mode, Plan, Policy, Sources, Wants, plan, taken_in_on
from inventory.rules.allocation.columns import Ints, Rejection
from inventory.services._lacking import Lacks
from inventory.services.sourcing._reading import Line, Outside
from inventory.services.sourcing._ways import PER_CURRENCY_UNIT, Unpriced, Way, Ways, amount

POLICY = "inventory.sourcing"
MINOR = PER_CURRENCY_UNIT // 100
SHELF = 1 << Mode.STOCK | 1 << Mode.SUBSTITUTE  # was looked at before
MODES = (Mode.INBOUND, Mode.TRANSFER, Mode.AFFILIATE, Mode.BUY, Mode.DROP_SHIP)


@dataclass(frozen=True, slots=True)
class Option:
    """One way for one line, and what it comes to: base units, days, money in its currency.

    `cost` is freight and what it costs more than goods of one's own, `score` with what the delay
    costs; both for all that the line lacks.
    """

    mode: Mode
    way: Way
    node_id: int
    leaves: date
    arrives: date
    available: int
    taken: int
    cost: Decimal
    score: Decimal
    rejected: Rejection | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was weighed for one line: the best first. `acts` are what the policy says of takes.

    `missing` is beside what was `asked` for before; both in steps.
    """

    line: Line
    entity_id: int
    product_id: int
    missing: int
    currency: str
    unpriced: Sequence[Unpriced] = ()
    options: Sequence[Option] = ()
    acts: Sequence["Act"] = ()
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """What the policy says of one way that was chosen, and the figures it was asked about."""

    option: Option
    act: str
    value: Decimal
    cost: Decimal
    days_late: int
    policy_version: str


def weigh(
    kind: str, lacks: Lacks, outside: Outside, covered: Mapping[tuple[int, int], int]
) -> list[Weighed]:
    """Return what was weighed for each line, in the order of serving.

    What the policy never does is barred before the plan is made. `covered` is what of the coming
    goods was asked for these lines before, in steps, by company and product.
    """
    known = np.isin(lacks.wants.id, list(outside.lines))
    wants = _weighted(lacks.wants.at(known), outside)
    ways = Ways(outside, wants, covered)
    if not len(wants) or not (ways.supplies or ways.unpriced):
        return []
    policy = _policy(lacks.policy, ways, outside, wants)
    sources = Sources.of(ways.supplies)
    first = plan(wants, sources, policy)
    barred = _Asked(kind, first, outside, ways).barred()
    made = plan(replace(wants, barred=wants.barred | barred), sources, policy)
    return _Asked(kind, made, outside, ways).weighed()


def _weighted(wants: Wants, outside: Outside) -> Wants:
    """Return the lines with what a day's delay of a base unit costs, and when they must leave."""
    lines = [outside.lines[each] for each in wants.id.tolist()]
    weight = [round(line.price * line.late_rate * PER_CURRENCY_UNIT) for line in lines]
    free = (wants.only < 0).astype(np.int64)
    return replace(
        wants,
        weight=np.array(weight, np.int64),
        value=np.zeros(len(lines), np.int64),
        due=np.array([line.needs_on.toordinal() for line in lines], np.int64),
        # What may leave from anywhere found nothing on any shelf of ours that it may take.
        barred=SHELF | (free << int(Mode.TRANSFER)),
    )


def _policy(shelf: Policy, ways: Ways, outside: Outside, wants: Wants) -> Policy:
    wait = max((outside.wait_days[owner] for owner in np.unique(wants.owner).tolist()), default=-1)
    return replace(
        shelf,
        nodes_by=(Criterion.SCORE, Criterion.NAMED),
        day_first=False,
        allows_partial=True,
        fair_share=False,
        split_minimum=0,
        split_cost=shelf.split_cost * MINOR,
        expedite_cost=0,
        expedite_days=0,
        wait_days=wait if wait >= 0 else None,
        capacity=(),
        substitutions=(),
        lanes=tuple(ways.lanes.values()),
        affiliations=tuple(ways.affiliations),
    )


class _Asked:
    """A plan with what it comes to in days and money, as the policy is asked about it."""

    def __init__(self, kind: str, made: Plan, outside: Outside, ways: Ways) -> None:
        self.kind = kind
        self.made, self.outside, self.ways = made, outside, ways
        demand, menus = made.demand, made.menus
        self.place = np.repeat(np.arange(len(made.line)), np.diff(made.at))
        line = made.line[self.place]
        self.leaves = menus.days[made.entry]
        self.late = np.maximum(self.leaves - demand.due[line], 0)
        lateness = -(-demand.weight[line] * self.late * demand.steps[line] // 1000)
        self.costs = made.scores - lateness
        self.supply = menus.supply[made.entry]
        self.mode = menus.mode[made.entry]
        self.node = menus.nodes[menus.node[made.entry]]

    def barred(self) -> Ints:
        """Return for each line the modes of which the policy never does the best there is."""
        made = self.made
        places = [
            p
            for p in range(len(made.taken))
            if Mode(int(self.mode[p])) in MODES and made.seen[p] != 0
        ]
        best: dict[tuple[int, int], int] = {}
        for p in sorted(places, key=lambda p: (int(made.scores[p]), p)):
            best.setdefault((int(self.place[p]), int(self.mode[p])), p)
        chosen = list(best.values())
        said = self._decide(chosen, [self._steps(p) for p in chosen], keep=False)
        barred = np.zeros(len(made.demand), np.int64)
        for p, decision in zip(chosen, said, strict=True):
            if decision.outcome["act"] == "never":
                barred[made.line[self.place[p]]] |= 1 << int(self.mode[p])
        return barred

    def weighed(self) -> list[Weighed]:
        made = self.made
        takes = np.flatnonzero(made.taken).tolist()
        said = self._decide(takes, made.taken[takes].tolist(), keep=True)
        decided = dict(zip(takes, said, strict=True))
        at = made.at.tolist()
        return [self._line(place, range(at[place], at[place + 1]), decided)
                for place in range(len(made.line))]  # fmt: skip

    def _line(self, place: int, entries: range, decided: Mapping[int, Decision]) -> Weighed:
        demand, number = self.made.demand, int(self.made.line[place])
        line = self.outside.lines[int(demand.id[number])]
        options, acts = [], []
        for p in sorted(entries, key=lambda p: (int(self.made.scores[p]), p)):
            if Mode(int(self.mode[p])) not in MODES:
                continue
            option = self._option(p, line)
            decision = decided.get(p)
            if decision is not None and decision.outcome["act"] == "never":
                option = replace(option, taken=0, rejected=Rejection.POLICY)
            elif decision is not None:
                acts.append(self._act(p, option, decision))
            options.append(option)
        key = (int(demand.owner[number]), int(demand.product[number]))
        return Weighed(
            line=line,
            entity_id=key[0],
            product_id=key[1],
            missing=int(demand.steps[number]),
            currency=self.outside.world.goods[key]["currency"],
            unpriced=self.ways.unpriced.get(key, ()),
            options=options,
            acts=acts,
        )

    def _option(self, p: int, line: Line) -> Option:
        why = int(self.made.reason[p])
        leaves = date.fromordinal(int(self.leaves[p]))
        weeks = self.outside.weeks
        return Option(
            mode=Mode(int(self.mode[p])),
            way=self.ways.ways[int(self.supply[p])],
            node_id=int(self.node[p]),
            leaves=leaves,
            arrives=taken_in_on(
                leaves,
                transit_days=line.transit_days,
                carrier=weeks.get(line.carrier_week or 0),
                customer=weeks.get(line.customer_week or 0),
            ),
            available=max(int(self.made.seen[p]), 0),
            taken=int(self.made.taken[p]),
            cost=amount(int(self.costs[p])),
            score=amount(int(self.made.scores[p])),
            rejected=(None, *Rejection)[why],
        )

    def _act(self, p: int, option: Option, decision: Decision) -> Act:
        facts = self._facts(p, option.taken)
        value, limit = Decimal(facts["value"]), Decimal(str(decision.outcome["limit"]))
        act = str(decision.outcome["act"])
        if act == "automatic" and 0 < limit < value:
            act = "propose"
        return Act(
            option, act, value, Decimal(facts["cost"]), int(facts["days_late"]),
            decision.policy_version,
        )  # fmt: skip

    def _steps(self, p: int) -> int:
        """Return how much of its line an entry could serve: all it lacks, or what there is."""
        lacks = int(self.made.demand.steps[self.made.line[self.place[p]]])
        seen = int(self.made.seen[p])
        return min(lacks, seen) if seen > 0 else lacks

    def _facts(self, p: int, steps: int) -> dict[str, Any]:
        """Return what the policy is asked about so much by one entry: money to the cent."""
        made, demand = self.made, self.made.demand
        number = int(made.line[self.place[p]])
        line = self.outside.lines[int(demand.id[number])]
        key = (int(demand.owner[number]), int(demand.product[number]))
        way, mode = self.ways.ways[int(self.supply[p])], Mode(int(self.mode[p]))
        units = Decimal(steps) / 1000
        entry = made.entry[p]
        each = int(made.menus.per_unit[entry])
        cost = amount(int(made.menus.fixed[entry]) - (-each * steps // 1000))
        paid = way.paid
        if mode is Mode.AFFILIATE and way.seller_id is not None:
            paid = self.ways.price(way.seller_id, key) or way.paid
        sale = line.price * units
        left = sale - self.ways.own_cost(key) * units - cost
        seller = self.outside.places.get(way.origin_id or 0) if way.seller_id else None
        return {
            "mode": mode.name.lower(),
            "tier": line.tier,
            "seller": seller["company"] if seller else "",
            "value": (paid * units).quantize(Decimal("0.01")),
            "currency": self.outside.world.goods[key]["currency"],
            "cost": cost,
            "days_late": int(self.late[p]),
            "margin": (left / sale).quantize(Decimal("0.0001")) if sale else Decimal(0),
        }

    def _decide(self, places: Sequence[int], steps: Sequence[int], *, keep: bool) -> list[Decision]:
        demand = self.made.demand
        questions = []
        for p, some in zip(places, steps, strict=True):
            number = int(self.made.line[self.place[p]])
            facts: dict[str, Fact] = self._facts(p, some)
            questions.append(
                Question(int(demand.owner[number]), self.kind, int(demand.id[number]), facts)
            )
        return decide(policy=POLICY, questions=questions, now=self.outside.world.now, keep=keep)
