"""Works out what each line of an order becomes when it is amended, and writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from erp.kernel.quantity import STEP
from orders.models import Order, OrderLine
from orders.services._attaching import agreed_of, make_kits
from orders.services._cancelling import cancel
from orders.services._capturing import sheet_of
from orders.services._drafting import LineDraft, OrderDraft
from orders.services._exploding import explode
from orders.services._pricing import PricedLine
from orders.services._refusing import BadQuantity, BadReference, DraftRefused
from orders.services._storing import Part, Sheet

TAKES_OF = {"quote_line_id", "blanket_line_id"}
AGREED = {"entered", "quote", "blanket"}  # a price that no list answers again


class BelowShipped(DraftRefused):
    """Less is asked for than has left."""

    code = "below_shipped"


@dataclass(frozen=True, slots=True)
class LineChange:
    """What changes of one line; what is none stays.

    `quantity` is what is ordered in all, in the line's own unit; zero takes the line off.
    `unit_price` is per base unit. `node_id` zero: from any node again. `less` base units of what
    waits are not wanted any more: with it nothing else changes.
    """

    line_id: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    discount: Decimal | None = None
    node_id: int | None = None
    disposition: str | None = None
    less: Decimal | None = None


@dataclass
class Goal:
    """What the lines come to: nothing of it is written yet.

    `rewritten` have not begun to leave and are written anew; of the others only the rest changes:
    `cancelled` says by how much, and `added` goes on where a line could not.
    """

    rewritten: list[tuple[OrderLine, PricedLine]] = field(default_factory=list)
    cancelled: dict[int, Decimal] = field(default_factory=dict)
    added: list["_Added"] = field(default_factory=list)
    kits: Sequence[PricedLine] = ()
    marked: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rewritten or self.cancelled or self.added or self.marked)

    def open_of(self, line: OrderLine) -> Decimal:
        """Return how much of a line is still to be served when it is written."""
        for each, priced in self.rewritten:
            if each.pk == line.pk:
                return priced.quantity
        return line.quantity - line.shipped - line.cancelled - self.cancelled.get(line.pk, 0)

    def moves(self, line: OrderLine) -> bool:
        """Test if a line is to come from another place than what is kept for it."""
        return "node_id" in self.marked.get(line.pk, {})


@dataclass(frozen=True, slots=True)
class _Added:
    """One new line, maybe of one of the goal's kits."""

    priced: PricedLine
    disposition: str
    kit: int | None
    per_kit: Decimal | None
    fresh_days: int | None = None


@dataclass(frozen=True, slots=True)
class _Ask:
    """One line to be priced: for which place of the request, in place of what."""

    place: int
    draft: LineDraft
    line: OrderLine | None
    agreed: OrderLine | None = None  # whose price it is, where that was agreed before


def goal_of(
    order: Order,
    lines: Mapping[int, OrderLine],
    wanted: Sequence[LineChange | LineDraft],
    now: datetime,
) -> Goal:
    """Return what the lines come to.

    Raises:
        DraftRefused: a line cannot be so; the field names its place in `wanted`.
    """
    goal, asks = Goal(), list[_Ask]()
    for place, each in enumerate(wanted):
        if isinstance(each, LineDraft):
            asks.append(_Ask(place, each, None))
            continue
        line = lines.get(each.line_id)
        if line is None:
            raise BadReference("The order has no such line.", f"lines[{place}].line")
        _refuse_bound(line, each, place)
        if each.less is not None:
            if not 0 < each.less <= line.waiting - line.direct:
                raise BadQuantity("So much of it does not wait.", f"lines[{place}].quantity")
            goal.cancelled[line.pk] = each.less
            continue
        _mark(goal, line, each)
        found = _of_gone if line.shipped else _of_open
        asks += found(goal, line, each, place)
    sheet = _priced(order, asks, now)
    for priced, part in zip(sheet.lines, sheet.parts, strict=True):
        ask = asks[part.origin or 0]
        if part.kit is not None and ask.line is not None:
            raise BadReference("It is a kit now: add it anew.", f"lines[{ask.place}].product")
        if ask.line is None:
            wish = (ask.draft.disposition, part.kit, part.per_kit, ask.draft.fresh_days)
            goal.added.append(_Added(priced, *wish))
        else:
            goal.rewritten.append((ask.line, priced))
    goal.kits = sheet.kits
    return goal


def _refuse_bound(line: OrderLine, change: LineChange, place: int) -> None:
    named = (change.quantity, change.unit_price, change.discount)
    if line.kit_id and named != (None, None, None):
        said = "It is part of a kit: cancel whole kits, and add others."
        raise BadReference(said, f"lines[{place}].line")
    if line.direct and change.less is None:
        said = "A supplier was told to send it straight to the customer: it cannot be changed."
        raise BadReference(said, f"lines[{place}].line")


def write(order: Order, goal: Goal, last_position: int) -> list[int]:
    """Write the lines; return the ids of those that are new or written anew."""
    cancel(goal.cancelled)
    for line, priced in goal.rewritten:
        for name, value in _columns(priced).items():
            if name not in TAKES_OF:  # at whatever price, it is ordered from what it was
                setattr(line, name, value)
        line.cancelled = Decimal(0)
    names = (
        [*_columns(goal.rewritten[0][1]).keys() - TAKES_OF, "cancelled"] if goal.rewritten else []
    )
    if names:
        OrderLine.objects.bulk_update([line for line, _ in goal.rewritten], names)
    for line_id, columns in goal.marked.items():
        OrderLine.objects.filter(pk=line_id).update(**columns)
    kits = make_kits(order.pk, goal.kits)
    made = OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=last_position + place,
            disposition=each.disposition or OrderLine.Disposition.BACKORDER,
            fresh_days=each.fresh_days,
            kit_id=None if each.kit is None else kits[each.kit],
            per_kit=each.per_kit,  # type: ignore[misc]
            **_columns(each.priced),
        )
        for place, each in enumerate(goal.added, 1)
    )
    return [line.pk for line, _ in goal.rewritten] + [line.pk for line in made]


def _mark(goal: Goal, line: OrderLine, change: LineChange) -> None:
    columns: dict[str, Any] = {}
    if change.node_id is not None and (change.node_id or None) != line.node_id:
        columns["node_id"] = change.node_id or None
    if change.disposition is not None and change.disposition != line.disposition:
        columns["disposition"] = change.disposition
    if columns:
        goal.marked[line.pk] = columns


def _of_open(goal: Goal, line: OrderLine, change: LineChange, place: int) -> list[_Ask]:
    """Return what is to be priced of a line of which nothing has left."""
    ordered = line.quantity - line.cancelled
    if change.quantity is not None and not change.quantity:
        if ordered:
            goal.cancelled[line.pk] = ordered
        return []
    quantity, uom = (line.uom_quantity, line.uom) if not line.cancelled else (ordered, "")
    wanted = quantity if change.quantity is None else change.quantity
    if change.quantity is not None and line.cancelled:
        uom = line.uom
    price, discount = change.unit_price, change.discount
    is_same = change.quantity is None or _in_base(line, change.quantity) == ordered
    is_price = price is None or price == line.unit_price
    if not wanted or (is_same and is_price and discount in (None, line.discount)):
        return []
    kept = line.price_basis.get("kind") in AGREED or is_same or not is_price
    draft = LineDraft(
        product_id=line.product_id,
        quantity=wanted,
        uom=uom,
        unit_price=(line.unit_price if price is None else price) if kept else None,
        discount=line.discount if discount is None else discount,
        node_id=goal.marked.get(line.pk, {}).get("node_id", line.node_id),
    )
    return [_Ask(place, draft, line, line if kept and is_price else None)]


def _of_gone(goal: Goal, line: OrderLine, change: LineChange, place: int) -> list[_Ask]:
    """Return what is to be priced of a line of which a part has left: that part stays as it is."""
    ordered = line.quantity - line.cancelled
    wanted = ordered if change.quantity is None else _in_base(line, change.quantity)
    if wanted is None:
        raise BadQuantity("That is not whole in the base unit.", f"lines[{place}].quantity")
    if wanted < line.shipped:
        said = f"{line.shipped.normalize():f} of it has left: less cannot be ordered."
        raise BelowShipped(said, f"lines[{place}].quantity")
    price = line.unit_price if change.unit_price is None else change.unit_price
    discount = line.discount if change.discount is None else change.discount
    is_same = (price, discount) == (line.unit_price, line.discount)
    stays = min(wanted, ordered) if is_same else line.shipped
    if stays < ordered:
        goal.cancelled[line.pk] = ordered - stays
    if wanted == stays:
        return []
    draft = LineDraft(
        product_id=line.product_id,
        quantity=wanted - stays,
        unit_price=price,
        discount=discount,
        node_id=goal.marked.get(line.pk, {}).get("node_id", line.node_id),
        disposition=change.disposition or line.disposition,
        fresh_days=line.fresh_days,
    )
    return [_Ask(place, draft, None, line if is_same else None)]


def _in_base(line: OrderLine, quantity: Decimal) -> Decimal | None:
    """Convert from the line's unit as the line itself did; none where that is not exact."""
    ratio = Fraction(line.quantity) / Fraction(line.uom_quantity)
    steps = Fraction(quantity) * ratio / Fraction(STEP)
    return Decimal(steps.numerator) * STEP if steps.denominator == 1 else None


def _priced(order: Order, asks: Sequence[_Ask], now: datetime) -> Sheet:
    """Return what is asked for, priced and with its kits exploded; agreed prices as they were."""
    draft = OrderDraft(
        entity_id=order.entity_id,
        customer_id=order.customer_id,
        lines=[ask.draft for ask in asks],
        requested_date=order.requested_date,
    )
    if not asks:
        return Sheet(draft, {}, [], Decimal(0), Decimal(0))
    try:
        sheet = sheet_of(draft, now)
        # What comes along free is given when an order is entered, not when it is changed.
        lines = [_as_agreed(line, ask) for line, ask in zip(sheet.lines, asks, strict=False)]
        parts = [Part(place) for place in range(len(lines))]
        found = explode([replace(sheet, lines=lines, parts=parts)], now)[0]
        if isinstance(found, DraftRefused):
            raise found
    except DraftRefused as refusal:
        for error in refusal.errors:
            error["field"] = _placed(error["field"], asks)
        refusal.field = refusal.errors[0]["field"]
        raise
    return found


def _as_agreed(priced: PricedLine, ask: _Ask) -> PricedLine:
    if ask.agreed is None:
        return priced
    source, basis = ask.agreed.price_source, ask.agreed.price_basis
    return replace(priced, price_source=source, price_basis=basis)


def _placed(name: str, asks: Sequence[_Ask]) -> str:
    """Name the line by its place in the request instead of among those that were priced."""
    if not name.startswith("lines["):
        return name
    index, _, rest = name.removeprefix("lines[").partition("]")
    return f"lines[{asks[int(index)].place}]{rest}"


def _columns(priced: PricedLine) -> dict[str, Any]:
    names = (
        "product_id", "uom", "uom_quantity", "quantity", "unit_price", "price_source",
        "price_basis", "discount", "amount", "node_id",
    )  # fmt: skip
    quote, blanket = agreed_of(priced.price_basis)
    columns = {name: getattr(priced, name) for name in names}
    return {**columns, "quote_line_id": quote, "blanket_line_id": blanket}
