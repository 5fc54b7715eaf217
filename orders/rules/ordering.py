"""What orders decide by themselves: amounts, where a header stands, what can be promised."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar
from erp.kernel.money import CENT

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)  # every product of our columns fits
STEP = Decimal("0.0001")
AMOUNT_MAX = Decimal("999999999999999.9999")
LINES_MAX = 10_000
TRANSIT_DAYS = 2  # where an order names no carrier

# The SQL twin of `part_of`: the exact quotient, half up, without a rounded division in between.
PART_OF = "(div({amount} * ({done}) * 20000 + {quantity}, {quantity} * 2) * 0.0001)"


def is_exact(number: Any, step: Decimal, most: Decimal) -> bool:
    """Test if `number` is a finite Decimal that its column holds without rounding."""
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number) > most:
        return False
    exponent, places = number.as_tuple().exponent, step.as_tuple().exponent
    return int(exponent) >= int(places) or number == round(number, -int(places))


def line_amount(quantity: Decimal, unit_price: Decimal, discount: Decimal) -> Decimal:
    """Return quantity x price x (1 - discount), half up to a hundredth of a cent."""
    gross = EXACT.multiply(quantity, unit_price)
    return EXACT.quantize(EXACT.multiply(gross, 1 - discount), STEP)


def in_cents(amount: Decimal) -> Decimal:
    """Round half up to the cent, as documents print it."""
    return EXACT.quantize(amount, CENT)


def part_of(amount: Decimal, done: Decimal, quantity: Decimal) -> Decimal:
    """Return what `done` of `quantity` is worth of `amount`, half up to a hundredth of a cent.

    Cumulative: differences of it sum to `amount` exactly when all is done. Not for negatives.
    """
    steps, part, whole = int(amount * 10_000), int(done * 1_000), int(quantity * 1_000)
    return Decimal((2 * steps * part + whole) // (2 * whole)) * STEP


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order's lines have come, in base units summed over them."""

    ordered: Decimal  # less what was cancelled
    reserved: Decimal
    shipped: Decimal

    @property
    def waiting(self) -> Decimal:
        return self.ordered - self.reserved - self.shipped


def allocation_step(state: str, progress: Progress) -> str | None:
    """Return the transition by which an order follows its reservations; none: it stays.

    A picking or partly shipped order stays while anything is reserved or has left.
    """
    if state == "partly_shipped" or (state == "fulfilling" and progress.reserved > 0):
        return None
    if state == "fulfilling" and progress.shipped > 0:
        return "wait_for_rest"
    if progress.waiting <= 0:
        return "allocate_all"
    return "allocate_some" if progress.reserved > 0 else "allocate_none"


def passes_in_turn(room: Decimal, amounts: Sequence[Decimal]) -> list[bool]:
    """Test which amounts fit into `room` one after the other; what does not fit takes none of it.

    What fills it exactly fits.
    """
    passes = []
    for amount in amounts:
        fits = amount <= room
        room -= amount if fits else 0
        passes.append(fits)
    return passes


def taken_before(amounts: Sequence[Decimal], goes: Sequence[bool]) -> list[Decimal]:
    """Return for each amount the sum of those before it that go on."""
    before, taken = [], Decimal(0)
    for amount, goes_on in zip(amounts, goes, strict=True):
        before.append(taken)
        taken += amount if goes_on else 0
    return before


@dataclass(frozen=True, slots=True)
class NodeClock:
    """When a node ships: orders after `cutoff` (its local time) count from the next working day."""

    time_zone: str
    cutoff: time
    handling_days: int
    calendar: BusinessCalendar | None = None  # Monday to Friday


@dataclass(frozen=True, slots=True)
class Weeks:
    """The working days of who carries goods and of who takes them in; none: every day."""

    carrier: BusinessCalendar | None = None
    customer: BusinessCalendar | None = None


EVERY_DAY = Weeks()


def promise(
    now: datetime, clock: NodeClock, transit_days: int, requested: date, weeks: Weeks = EVERY_DAY
) -> date:
    """Return the day on which goods can be with the customer, not before the requested one."""
    zone = ZoneInfo(clock.time_zone)
    week = clock.calendar or BusinessCalendar(zone)
    local = now.astimezone(zone)
    late = 1 if local.time() > clock.cutoff and week.is_working_day(local.date()) else 0
    leaves = week.next_working_day(local.date(), days=late + clock.handling_days)
    return max(requested, arrival(leaves, transit_days, weeks.carrier, weeks.customer))


def arrival(
    leaves: date,
    transit_days: int,
    carrier: BusinessCalendar | None = None,
    customer: BusinessCalendar | None = None,
) -> date:
    """Return the day on which what leaves on `leaves` is taken in.

    Days on the way are the carrier's working days; it is taken in on a working day of the customer.
    """
    if carrier is None or transit_days == 0:
        day = leaves + timedelta(days=transit_days)
    else:
        day = carrier.next_working_day(leaves + timedelta(days=1), days=transit_days - 1)
    return day if customer is None else customer.next_working_day(day)


def address_of(customer: Mapping[str, str]) -> dict[str, str]:
    """Return a customer's own address in the shape of an order's `ship_to`."""
    names = ("name", "address", "city", "region", "postal_code", "country")
    return {name: customer[name] for name in names if customer[name]}


@dataclass(frozen=True, slots=True)
class TypedLine:
    """One line as somebody typed or pasted it: nothing is understood yet."""

    product: str = ""
    quantity: str = ""
    uom: str = ""
    price: str = ""
    discount: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.product or self.quantity or self.uom or self.price or self.discount)


HEADINGS = {
    "product": "product", "product code": "product", "code": "product", "item": "product",
    "sku": "product", "part": "product", "article": "product", "quantity": "quantity",
    "qty": "quantity", "pieces": "quantity", "uom": "uom", "unit": "uom", "price": "price",
    "unit price": "price", "discount": "discount",
}  # fmt: skip
COLUMNS = ("product", "quantity", "uom", "price", "discount")


def read_lines(text: str) -> list[TypedLine]:
    """Read lines copied from a spreadsheet or out of a CSV file: tabs, semicolons or commas.

    A first row that names columns says their order; else it is product, quantity, unit, price,
    discount.
    """
    filled = [row for row in text.replace("\0", "").splitlines() if row.strip()]
    if not filled:
        return []
    delimiter = next((mark for mark in "\t;," if mark in filled[0]), "\t")
    table = [[cell.strip() for cell in row] for row in csv.reader(filled, delimiter=delimiter)]
    named = [HEADINGS.get(cell.lower(), "") for cell in table[0]]
    columns = named if "product" in named else COLUMNS
    lines = []
    for row in table[1:] if "product" in named else table:
        cells = {name: cell for name, cell in zip(columns, row, strict=False) if name}
        lines.append(TypedLine(**cells))
    return [line for line in lines if not line.is_blank]
