"""Words what is elsewhere as supplies, lanes and affiliations of a plan."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from inventory.rules import (
    Affiliation,
    Lane,
    Mode,
    Source,
    Wants,
    arrives_on,
    as_steps,
)
from inventory.rules.promising import arrival_of_order, buy_quantity, window
from inventory.selectors import Coming
from inventory.services.sourcing._reading import Outside

PER_CURRENCY_UNIT = 10_000  # amounts are planned in ten-thousandths: prices have four decimals
NOTHING = Decimal(0)
Key = tuple[int, int]  # company, product


@dataclass(frozen=True, slots=True)
class Way:
    """What stands behind one supply: its place in words, who sells, and what a base unit costs.

    `source` is what it is told by from others of its mode; `paid` what is paid for a base unit, or
    what it is worth where it is ours. `least` and `multiple` are how it is sold.
    """

    label: str
    source: str
    paid: Decimal
    origin_id: int | None = None
    seller_id: int | None = None
    supplier_id: int | None = None
    least: int = 0
    multiple: int = 1


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A way of which nobody can say what it costs: it is named, and not weighed."""

    mode: Mode
    label: str
    seller_id: int | None = None


class Ways:
    """Every way to what these lines lack, as a plan is made of it."""

    def __init__(self, outside: Outside, wants: Wants, covered: Mapping[Key, int]) -> None:
        self.outside, self.world = outside, outside.world
        self.now, self.hours = outside.world.now, outside.world.hours
        self.supplies: list[Source] = []
        self.ways: list[Way] = []
        self.standing: set[tuple[int, int, int]] = set()  # stock: owner, product, node
        self.lanes: dict[tuple[int, int], Lane] = {}
        self.affiliations: list[Affiliation] = []
        self.unpriced: dict[Key, list[Unpriced]] = defaultdict(list)
        self.targets: dict[Key, dict[int, int]] = defaultdict(dict)
        listed = (c.tolist() for c in (wants.owner, wants.product, wants.node, wants.steps))
        for owner, product, node, steps in zip(*listed, strict=True):
            at = node if node in outside.places else outside.home(owner)
            if at is not None:
                into = self.targets[owner, product]
                into[at] = into.get(at, 0) + steps
        self._lay_lanes()
        for key in sorted(self.targets):
            if key in self.world.goods:
                self._inbound(key, covered.get(key, 0))
                self._own(key)
                for offer in self.world.every.get(key, ()):
                    self._buy(key, offer)
        self._sisters()

    def _lay_lanes(self) -> None:
        for lane in self.outside.lanes:
            ends = (lane["origin_id"], lane["destination_id"])
            if ends[0] not in self.outside.places:
                continue
            target = self.outside.places[ends[1]]
            rate = self.outside.rates.get((lane["currency"], target["currency"]))
            if rate is None:
                continue
            origin = self.hours[ends[0]]
            comes = arrives_on(
                self.now,
                zone=ZoneInfo(origin.time_zone),
                cutoff=origin.cutoff,
                handling_days=origin.handling_days,
                lane_days=lane["days"],
            )
            leaves = self.hours[ends[1]].passes_on(comes)
            self.lanes[ends] = Lane(*ends, leaves.toordinal(), money(lane["cost"] * rate))

    def _inbound(self, key: Key, covered: int) -> None:
        """Add what is on its way and nobody else waits for, what comes first first."""
        situation = self.world.found[key]
        whole = situation.at(None)
        spent = whole.free_on(situation.today) + covered
        for coming in sorted(situation.coming, key=lambda each: (each.shown_on, each.id)):
            free = min(coming.steps, whole.free_on(coming.shown_on) - spent)
            if free > 0 and coming.node_id in self.outside.places:
                spent += free
                way = Way(coming.label or "on its way", coming.label, self.own_cost(key))
                self._add(key, coming.node_id, free, Mode.INBOUND, self._leaves(coming), way)

    def _leaves(self, coming: Coming) -> date:
        node = self.hours[coming.node_id]
        expected = window(coming.told, coming.pace, today=node.today(self.now))
        return node.passes_on(max(expected.p50, coming.shown_on))

    def _own(self, key: Key) -> None:
        """Add what lies free at nodes from which a lane leads to another of the company."""
        situation = self.world.found[key]
        origins = {ends[0] for ends in self.lanes if ends[0] != ends[1]}
        for node_id in sorted(origins & situation.stock.keys()):
            free = situation.free_on(node_id, situation.today)
            if free > 0:
                code = self.outside.places[node_id]["code"]
                way = Way(code, code, self.own_cost(key), node_id)
                self._add(key, node_id, free, Mode.STOCK, None, way)

    def _buy(self, key: Key, offer: Mapping[str, Any]) -> None:
        """Add what a supplier would bring to the nodes, or send straight to customers."""
        goods = self.world.goods[key]
        drops = bool(offer["drop_ships"])
        if offer["currency"] != goods["currency"]:
            self.unpriced[key].append(Unpriced(Mode.BUY, offer["supplier"]))
            return
        week = self.world.weeks.get(offer["calendar_id"])
        situation = self.world.found[key]
        told = arrival_of_order(situation.today, offer["lead_time_days"], week)
        usual = self.world.terms[key[0]].usual
        expected = window(told, self.world.paces.get(offer["supplier_id"], usual),
                          today=situation.today).p50  # fmt: skip
        dearer = money(offer["unit_price"] - self.own_cost(key))
        pack = (as_steps(offer["moq"]), as_steps(offer["multiple"]))
        way = Way(
            offer["supplier"], f"{offer['supplier_id']}", offer["unit_price"],
            supplier_id=offer["supplier_id"], least=pack[0], multiple=pack[1],
        )  # fmt: skip
        wanted = sum(self.targets[key].values())
        for node_id in self.targets[key]:
            leaves = self.hours[node_id].passes_on(expected)
            bought = buy_quantity(wanted, moq=pack[0], multiple=pack[1])
            self._add(key, node_id, bought, Mode.BUY, leaves, way, dearer)
        if drops:
            self._add(key, 0, wanted, Mode.DROP_SHIP, expected, way, dearer)

    def _sisters(self) -> None:
        """Add what other companies of the house have free where a lane leads to ours."""
        for (seller, product), situation in sorted(self.outside.sisters.items()):
            nodes = sorted(
                node_id
                for node_id in situation.stock
                if self.outside.places.get(node_id, {}).get("entity_id") == seller
                and any(ends[0] == node_id for ends in self.lanes)
                and situation.free_on(node_id, situation.today) > 0
            )
            buyers = [
                (buyer, product)
                for each, buyer in self.outside.markups
                if each == seller and (buyer, product) in self.targets and nodes
            ]
            priced = [key for key in buyers if self._affiliated(seller, key)]
            if not priced:
                continue
            for node_id in nodes:
                if (seller, product, node_id) in self.standing:
                    continue  # it is short itself elsewhere: its stock stands there already
                place = self.outside.places[node_id]
                way = Way(f"{place['company']} {place['code']}", place["code"],
                          self.own_cost((seller, product)), node_id, seller)  # fmt: skip
                free = situation.free_on(node_id, situation.today)
                self._add((seller, product), node_id, free, Mode.STOCK, None, way)

    def _affiliated(self, seller: int, key: Key) -> bool:
        """Let a company sell a product to another, if its price is known."""
        price = self.price(seller, key)
        if price is None:
            place = self.outside.home(seller)
            code = self.outside.places[place]["company"] if place else ""
            self.unpriced[key].append(Unpriced(Mode.AFFILIATE, code, seller))
            return False
        fixed, each = self._freight(key)
        if (seller, key[1]) in self.world.goods and (seller, key[1]) in self.targets:
            own = self._freight((seller, key[1]))  # its supply carries its own freight already
            fixed, each = fixed - own[0], each - own[1]
        dearer = money(price - self.own_cost(key))
        self.affiliations.append(
            Affiliation(seller, key[0], 0, fixed, each + dearer, product=key[1], moves=True)
        )
        return True

    def price(self, seller: int, key: Key) -> Decimal | None:
        """Return what a company asks for a base unit, in the buyer's currency."""
        cost = self.outside.costs.get((seller, key[1]))
        home = self.outside.home(seller)
        if cost is None or home is None:
            return None
        books = (self.outside.places[home]["currency"], self.world.goods[key]["currency"])
        rate = self.outside.rates.get(books)
        return None if rate is None else cost * (1 + self.outside.markups[seller, key[0]]) * rate

    def own_cost(self, key: Key) -> Decimal:
        """Return what a base unit of one's own costs; what it is bought at where nobody knows."""
        cost, offer = self.outside.costs.get(key), self.world.offers.get(key)
        if cost is not None:
            return cost
        goods = self.world.goods.get(key)
        is_same = offer is not None and goods is not None and offer["currency"] == goods["currency"]
        return offer["unit_price"] if offer is not None and is_same else NOTHING

    def _freight(self, key: Key) -> tuple[int, int]:
        """Return what carrying a parcel of its own to the customer costs: fixed, a base unit."""
        goods: Mapping[str, Any] = self.world.goods[key]
        if not goods["carrier"]:
            return 0, 0
        return money(goods["base_rate"]), money(goods["weight"] * goods["rate_per_kg"])

    def _add(  # noqa: PLR0917  one supply, as it is said
        self, key: Key, node_id: int, steps: int, mode: Mode, leaves: date | None, way: Way,
        dearer: int = 0,
    ) -> None:  # fmt: skip
        is_parcel = mode is not Mode.DROP_SHIP and key in self.world.goods and key in self.targets
        fixed, each = self._freight(key) if is_parcel else (0, 0)
        self.supplies.append(
            Source(
                id=len(self.supplies) + 1, owner=key[0], product=key[1], node=node_id, steps=steps,
                mode=mode, day=leaves.toordinal() if leaves else 0, fixed=fixed,
                per_unit=each + dearer,
            )
        )  # fmt: skip
        self.ways.append(way)
        if mode is Mode.STOCK:
            self.standing.add((*key, node_id))


def money(amount: Decimal) -> int:
    """Return an amount in the plan's ten-thousandths, half up."""
    return int((amount * PER_CURRENCY_UNIT).to_integral_value(rounding=ROUND_HALF_UP))


def amount(parts: int) -> Decimal:
    """Return so many of the plan's ten-thousandths as an amount, to the cent, half up."""
    exact = Decimal(parts) / PER_CURRENCY_UNIT
    return exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
