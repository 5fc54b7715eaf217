"""What could be promised for what is wanted: every way, when it would be there, and its cost."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from inventory.rules import as_steps, carriage, from_steps, taken_in_on
from inventory.rules.promising import arrival_of_order, buy_quantity, window
from inventory.selectors import (
    Coming,
    NodeHours,
    node_hours,
)
from inventory.services.promising._reading import Wish, World, read_world


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to serve a wish. `arrives_on` one time of two, `arrives_p90` nine of ten.

    `kind` is node, other_node, split, transfer, inbound or buy; `source` the document, supplier or
    nodes behind it. `cost` is what serving costs (carriage, transfer) in `currency`, and
    `purchase` what buying costs; None where their currency is another.
    """

    kind: str
    node: str
    name: str
    source: str
    available: Decimal
    quantity: Decimal
    leaves_on: date
    leaves_p90: date
    arrives_on: date
    arrives_p90: date
    transit_days: int
    carrier: str
    cost: Decimal | None
    currency: str
    purchase: Decimal | None = None
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """The answer to one wish: free now, dated availability, and the choices, the soonest first."""

    free: Decimal
    promisable: Decimal
    dated: Sequence[tuple[date, Decimal]]
    choices: Sequence[Choice] = field(default_factory=list)

    @property
    def best(self) -> Choice | None:
        """The soonest choice, then the cheapest."""
        return self.choices[0] if self.choices else None


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def offer_supply(
    *,
    wishes: Sequence[Wish],
    now: datetime,
    asking: tuple[str, Collection[int]] = ("", ()),
    hours: dict[int, NodeHours] | None = None,
) -> list[Offered]:
    """Return for each wish what could be promised, each looked at by itself. Nothing is kept.

    At most eight queries, however many wishes: what other demand waits for is not offered again.
    Demands that wait already and are those `asking` (kind, ids) do not stand in their own way.
    `hours` are those of every node, where they are known already.
    """
    if not wishes:
        return []
    if hours is None:
        hours = node_hours(ids=None, on=now.date())
    world = read_world(wishes, now, asking, hours)
    made: dict[Wish, Offered] = {}
    for wish in wishes:
        if wish not in made:
            made[wish] = _offer(wish, world)
    return [made[wish] for wish in wishes]


def _offer(wish: Wish, world: World) -> Offered:
    key = (wish.entity_id, wish.product_id)
    situation = world.found[key]
    days = situation.days()
    whole = sum(situation.stock.values())
    free = situation.stock.get(wish.node_id, 0) if wish.node_id else whole
    shares = world.kept.get(key)
    if shares:
        free = shares.left(wish.segment, wish.node_id, free, whole)
    dated, last = [], None
    for day in days:
        level = situation.free_on(wish.node_id, day)
        if shares:
            level = shares.left(wish.segment, wish.node_id, level, situation.free_on(None, day))
        if level != last:
            dated.append((day, from_steps(level)))
            last = level
    if key not in world.goods:
        return Offered(from_steps(free), Decimal(0), dated)
    choices = list(_Choosing(wish, world).choices())
    choices.sort(key=lambda each: (each.quantity < wish.quantity, each.arrives_on,
                                   each.cost is None, each.cost or 0, each.node))  # fmt: skip
    return Offered(from_steps(free), dated[0][1] if dated else Decimal(0), dated, choices)


class _Choosing:
    """The choices of one wish."""

    def __init__(self, wish: Wish, world: World) -> None:
        self.wish, self.world = wish, world
        key = (wish.entity_id, wish.product_id)
        self.key, self.goods, self.situation = key, world.goods[key], world.found[key]
        self.wanted, self.ahead = as_steps(wish.quantity), as_steps(wish.ahead)
        usual = wish.transit_days is None
        self.transit = int(self.goods["transit_days"]) if usual else wish.transit_days or 0
        week = self.goods["calendar_id"] if usual else wish.carrier_calendar_id
        self.carrier = world.weeks.get(week or 0)
        self.customer = world.weeks.get(wish.calendar_id or 0)
        self.today = self.situation.today

    def choices(self) -> Iterator[Choice]:
        """Yield every way, in no order."""
        now = {
            node_id: free
            for node_id in self.situation.nodes()
            if (free := self._free(node_id, self.today)) > 0
        }
        for node_id, free in now.items():
            kind = "node" if self.wish.node_id in (None, node_id) else "other_node"
            leaves = self.world.hours[node_id].leaves(self.world.now)
            yield self._choice(kind, node_id, min(free, self.wanted), leaves, available=free)
        yield from self._split(now)
        yield from self._transfer(now)
        if max(now.values(), default=0) < self.wanted:
            yield from self._inbound()
            yield from self._buy()

    def _split(self, now: Mapping[int, int]) -> Iterator[Choice]:
        if self.wish.node_id or max(now.values(), default=0) >= self.wanted:
            return
        left = min(self.wanted, self._free(None, self.today))
        if left < self.wanted:
            return
        parts: list[Choice] = []
        for node_id, free in sorted(now.items(), key=lambda each: (-each[1], each[0])):
            taken = min(free, left)
            if taken:
                leaves = self.world.hours[node_id].leaves(self.world.now)
                parts.append(self._choice("split", node_id, taken, leaves, available=free))
                left -= taken
        if left or len(parts) < 2:  # noqa: PLR2004  two places make a split
            return
        last = max(parts, key=lambda each: each.arrives_on)
        yield Choice(
            kind="split", node=" + ".join(each.node for each in parts), name="",
            source=", ".join(f"{each.quantity.normalize():f} {each.node}" for each in parts),
            available=sum((each.available for each in parts), Decimal(0)),
            quantity=self.wish.quantity, leaves_on=last.leaves_on,
            leaves_p90=last.leaves_p90, arrives_on=last.arrives_on,
            arrives_p90=max(each.arrives_p90 for each in parts), transit_days=last.transit_days,
            carrier=last.carrier, currency=last.currency,
            cost=sum((each.cost or Decimal(0) for each in parts), Decimal(0)),
        )  # fmt: skip

    def _transfer(self, now: Mapping[int, int]) -> Iterator[Choice]:
        """Yield the ways over a lane to the node that is wanted and does not have all of it."""
        at = self.wish.node_id
        if at is None or now.get(at, 0) >= self.wanted:
            return
        for lane in self.world.lanes.get(at, ()):
            origin, free = lane["origin_id"], now.get(lane["origin_id"], 0)
            if not free or not self.world.hours[origin].is_active:
                continue
            quantity = min(free, self.wanted - now.get(at, 0))
            node = self.world.hours[origin]
            comes = taken_in_on(
                node.leaves(self.world.now), transit_days=lane["days"], carrier=node.calendar
            )
            leaves = self.world.hours[at].passes_on(comes)
            same = lane["currency"] == self.goods["currency"]
            yield self._choice(
                "transfer", at, quantity, leaves, available=free, source=node.code,
                extra=lane["cost"] if same else None,
            )  # fmt: skip

    def _free(self, node_id: int | None, day: date) -> int:
        """Return what is free to leave on `day` after those who go first."""
        free = self.situation.free_on(node_id, day)
        shares = self.world.kept.get(self.key)
        if not self.ahead and not shares:
            return free
        whole = self.situation.free_on(None, day)
        if shares:
            free = shares.left(self.wish.segment, node_id, free, whole)
            whole = shares.left(self.wish.segment, None, whole, whole)
        return max(0, min(free, whole - self.ahead))

    def _inbound(self) -> Iterator[Choice]:
        """Yield per node the first day on which what comes in makes it enough, else of all."""
        at = self.wish.node_id
        nodes = sorted(
            {coming.node_id for coming in self.situation.coming if at in (None, coming.node_id)}
        )
        found = [each for node_id in nodes if (each := self._comes([node_id]))]
        yield from found
        if not found and nodes and at is None and (each := self._comes(nodes)):
            yield each

    def _comes(self, nodes: Sequence[int]) -> Choice | None:
        """Return what these nodes can give together once enough has come in."""
        at = nodes[0] if len(nodes) == 1 else None
        later = (day for day in self.situation.days() if day > self.today)
        enough = next((day for day in later if self._free(at, day) >= self.wanted), None)
        if enough is None:
            return None
        behind = [c for c in self.situation.coming if c.node_id in nodes and c.shown_on <= enough]
        if not behind:
            return None
        days = [self._window(each, enough) for each in behind]
        last = max(behind, key=lambda each: (each.shown_on, each.id))
        choice = self._choice(
            "inbound", last.node_id, self.wanted, max(day for day, _p90 in days),
            available=self._free(at, enough), source=last.label,
            p90=max(p90 for _day, p90 in days),
            is_overdue=any(each.is_overdue for each in behind),
        )  # fmt: skip
        if at is not None:
            return choice
        codes = " + ".join(self.world.hours[node_id].code for node_id in nodes)
        return replace(choice, node=codes, name="")

    def _window(self, coming: Coming, enough: date) -> tuple[date, date]:
        """Return when what comes can leave its node, one time of two and nine of ten."""
        node = self.world.hours[coming.node_id]
        expected = window(coming.told, coming.pace, today=node.today(self.world.now))
        p50, p90 = max(enough, expected.p50), max(enough, expected.p90)
        return node.passes_on(p50), node.passes_on(p90)

    def _buy(self) -> Iterator[Choice]:
        """Yield what the preferred supplier would bring, in whole packs, after its lead time."""
        offer = self.world.offers.get(self.key)
        node_id = self.wish.node_id or next(iter(self.situation.nodes()), None)
        if offer is None or node_id is None:
            return
        week = self.world.weeks.get(offer["calendar_id"])
        told = arrival_of_order(self.today, offer["lead_time_days"], week)
        usual = self.world.terms[self.wish.entity_id].usual
        pace = self.world.paces.get(offer["supplier_id"], usual)
        expected = window(told, pace, today=self.today)
        node = self.world.hours[node_id]
        bought = buy_quantity(
            self.wanted, moq=as_steps(offer["moq"]), multiple=as_steps(offer["multiple"])
        )
        same = offer["currency"] == self.goods["currency"]
        yield self._choice(
            "buy", node_id, self.wanted, node.passes_on(expected.p50), available=bought,
            source=offer["supplier"], p90=node.passes_on(expected.p90),
            purchase=round(from_steps(bought) * offer["unit_price"], 2) if same else None,
        )  # fmt: skip

    def _choice(
        self,
        kind: str,
        node_id: int,
        steps: int,
        leaves: date,
        *,
        available: int,
        source: str = "",
        p90: date | None = None,
        extra: Decimal | None = Decimal(0),
        purchase: Decimal | None = None,
        is_overdue: bool = False,
    ) -> Choice:
        goods, node = self.goods, self.world.hours[node_id]
        quantity = from_steps(steps)
        cost = Decimal(0)
        if goods["carrier"]:
            cost = carriage(
                quantity * goods["weight"], base=goods["base_rate"], per_kg=goods["rate_per_kg"]
            )
        return Choice(
            kind=kind,
            node=node.code,
            name=node.name,
            source=source or node.code,
            available=from_steps(available),
            quantity=quantity,
            leaves_on=leaves,
            leaves_p90=p90 or leaves,
            arrives_on=self._arrives(leaves),
            arrives_p90=self._arrives(p90 or leaves),
            transit_days=self.transit,
            carrier=goods["carrier"] or "",
            cost=None if extra is None else cost + extra,
            currency=goods["currency"],
            purchase=purchase,
            is_overdue=is_overdue,
        )

    def _arrives(self, leaves: date) -> date:
        return taken_in_on(
            leaves,
            transit_days=self.transit,
            carrier=self.carrier,
            customer=self.customer,
        )
