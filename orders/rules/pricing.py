"""Which price counts, what promotions take off it, and the receipt that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from orders.rules.ordering import EXACT, STEP

NONE, ONE = Decimal(0), Decimal(1)
SOURCE_MAX = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best price of one kind for a line: per base unit, from `min_quantity` base units up."""

    kind: str
    id: int
    unit_price: Decimal
    min_quantity: Decimal = NONE
    owner: str = ""  # the customer, group or list; empty is the entity's own list
    uom: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the policy says of prices of one kind.

    The lowest `rank` wins. `promotions` says if promotions may lower such a price, and by at
    most `discount_max` of it, together with the discount that somebody typed.
    """

    rank: Decimal
    promotions: bool = False
    discount_max: Decimal = NONE


@dataclass(frozen=True, slots=True)
class Offer:
    """A promotion that fits a line; see the model `Promotion`."""

    id: int
    code: str
    kind: str
    percent: Decimal = NONE
    amount: Decimal = NONE
    buy_quantity: Decimal = NONE
    free_quantity: Decimal = NONE
    free_product_id: int | None = None
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line's price per base unit after promotions, and the receipt for it."""

    unit_price: Decimal
    source: str
    basis: dict[str, Any]
    free: list[tuple[Offer, Decimal]] = field(default_factory=list)


def ranked(candidates: Sequence[Candidate], standings: Mapping[str, Standing]) -> list[Candidate]:
    """Return the candidates, the winner first: by rank of their kind, then the lower id."""
    return sorted(candidates, key=lambda c: (standings[c.kind].rank, c.id))


def choose(
    candidates: Sequence[Candidate],
    standings: Mapping[str, Standing],
    offers: Sequence[Offer] = (),
    *,
    quantity: Decimal,
    discount: Decimal = NONE,
) -> Chosen | None:
    """Return what a line of `quantity` base units costs; none without a candidate.

    `discount` is the share that somebody typed: it uses up the room that promotions have. The
    order of `candidates` and of `offers` does not matter.
    """
    in_turn = ranked(candidates, standings)
    if not in_turn:
        return None
    winner, standing = in_turn[0], standings[in_turn[0].kind]
    usable = list(offers) if standing.promotions else []
    room = max(NONE, standing.discount_max - discount)
    taken = best_stack(usable, winner.unit_price)
    price = promoted(winner.unit_price, taken, room)
    if price == winner.unit_price:
        taken = []
    free = free_goods(usable, quantity)
    basis: dict[str, Any] = {
        "kind": winner.kind,
        "price": winner.id,
        "break": f"{winner.min_quantity.normalize():f}",
        "unit_price": f"{winner.unit_price:f}",
    }
    if winner.owner:
        basis["owner"] = winner.owner
    if taken:
        basis["promotions"] = [each.id for each in taken]
        basis["codes"] = [each.code for each in taken]
    lost = [
        {"kind": each.kind, "price": each.id, "unit_price": f"{each.unit_price:f}"}
        for each in in_turn[1:]
    ]
    if lost:
        basis["lost"] = lost
    return Chosen(price, _receipt(in_turn, taken, price), basis, free)


def promoted(price: Decimal, taken: Sequence[Offer], room: Decimal) -> Decimal:
    """Return `price` less what `taken` give: at most `room` of it, never below zero.

    Shares are of the price as found and add up; amounts come off as money. Rounded half up to a
    hundredth of a cent, up where that would pass the limit.
    """
    off = sum((off_of(each, price) for each in taken), NONE)
    floor = EXACT.multiply(price, ONE - min(ONE, room)).quantize(STEP, ROUND_CEILING)
    net = EXACT.quantize(price - off, STEP)
    return max(net, min(floor, price), NONE)


def off_of(offer: Offer, price: Decimal) -> Decimal:
    """Return what one promotion takes off a base unit at `price`, not rounded."""
    if offer.kind == "percent":
        return EXACT.multiply(price, offer.percent)
    return min(price, offer.amount) if offer.kind == "amount" else NONE


def best_stack(offers: Sequence[Offer], price: Decimal) -> list[Offer]:
    """Return the promotions that count: of those that may go together the set that takes most.

    Those of the same `stack` go together; one without stands alone. Of equals the lowest id.
    """
    sets: dict[tuple[str, int], list[Offer]] = {}
    for each in sorted(offers, key=lambda offer: offer.id):
        if each.kind != "free":
            sets.setdefault((each.stack, 0 if each.stack else each.id), []).append(each)

    def worth(group: Sequence[Offer]) -> tuple[Decimal, int]:
        return sum((off_of(each, price) for each in group), NONE), -group[0].id

    return max(sets.values(), key=worth, default=[])


def free_goods(offers: Sequence[Offer], quantity: Decimal) -> list[tuple[Offer, Decimal]]:
    """Return the promotion in goods that counts, with the base units that come along at zero.

    One per line: the one that gives most, of equals the lowest id. Each time `buy_quantity` is
    reached gives `free_quantity`; what is given along does not count as bought.
    """
    given = []
    for each in sorted(offers, key=lambda offer: offer.id):
        if each.kind == "free":
            times = (quantity / each.buy_quantity).to_integral_value(ROUND_FLOOR)
            if times > 0:
                given.append((each, times * each.free_quantity))
    return [max(given, key=lambda pair: (pair[1], -pair[0].id))] if given else []


def _receipt(in_turn: Sequence[Candidate], taken: Sequence[Offer], price: Decimal) -> str:
    """Say in a line which price it is and why: "contract from 100, not list 4.60"."""
    winner = in_turn[0]
    words = [winner.kind]
    if winner.owner:
        words.append(winner.owner)
    if winner.uom:
        words.append(f"per {winner.uom}")
    if winner.min_quantity:
        words.append(f"from {winner.min_quantity.normalize():f}")
    text = " ".join(words)
    if taken:
        codes = " + ".join(each.code for each in taken)
        text += f" {winner.unit_price.normalize():f}, promotion {codes}"
    for each in in_turn[1:]:
        owner = f" {each.owner}" if each.owner else ""
        text += f", not {each.kind}{owner} {each.unit_price.normalize():f}"
    return text[:SOURCE_MAX]
