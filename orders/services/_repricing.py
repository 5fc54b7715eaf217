"""Changes prices in time: a new one ends the old, and who was too late is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import IntegrityError, transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.quantity import QUANTITY_MAX, STEP
from erp.kernel.sql import records, rows, run
from orders.rules import AMOUNT_MAX, Edits, Period, edits, is_exact, laid_over

PRICE_STEP = Decimal("0.0001")
COLUMNS = (
    "entity_id", "product_id", "kind", "customer_id", "group_id", "price_list_id", "currency",
    "uom", "min_quantity",
)  # fmt: skip
ASKED = """
    SELECT k.* FROM unnest(
        %(entity_id)s::bigint[], %(product_id)s::bigint[], %(kind)s::text[],
        %(customer_id)s::bigint[], %(group_id)s::bigint[], %(price_list_id)s::bigint[],
        %(currency)s::text[], %(uom)s::text[], %(min_quantity)s::numeric[]
    ) WITH ORDINALITY AS k (
        entity_id, product_id, kind, customer_id, group_id, price_list_id, currency, uom,
        min_quantity, place
    )
"""
SAME = " AND ".join(
    ["r.product_id = k.product_id", "r.entity_id = k.entity_id", "r.kind = k.kind"]
    + [f"r.{name} IS NOT DISTINCT FROM k.{name}" for name in COLUMNS[3:6]]
    + [f"r.{name} = k.{name}" for name in COLUMNS[6:]]
)

LOCK = f"SELECT r.id FROM ({ASKED}) k JOIN orders_price r ON {SAME} ORDER BY r.id FOR UPDATE OF r"  # noqa: S608
READ = f"""
    SELECT k.place, r.id, r.unit_price, r.valid_from, r.valid_until, r.revision
    FROM ({ASKED}) k JOIN orders_price r ON {SAME}
    ORDER BY k.place, r.valid_from
"""  # noqa: S608

# Cut first, so that no statement sees two prices on one day.
DELETE = "DELETE FROM orders_price WHERE id = ANY(%(ids)s)"
CUT = """
    UPDATE orders_price r SET valid_until = c.until
    FROM unnest(%(ids)s::bigint[], %(untils)s::date[]) AS c (id, until)
    WHERE r.id = c.id AND c.until IS NOT NULL
      AND (r.valid_until IS NULL OR r.valid_until > c.until)
"""
CHANGE = """
    UPDATE orders_price r
    SET unit_price = c.price, valid_until = c.until, revision = r.revision + 1
    FROM unnest(%(ids)s::bigint[], %(prices)s::numeric[], %(untils)s::date[])
        AS c (id, price, until)
    WHERE r.id = c.id
"""
INSERT = f"""
    INSERT INTO orders_price (
        {", ".join(COLUMNS)}, unit_price, valid_from, valid_until, revision
    )
    SELECT {", ".join(f"k.{name}" for name in COLUMNS)}, n.price, n.starts, n.until, 1
    FROM unnest(
        %(places)s::int[], %(prices)s::numeric[], %(starts)s::date[], %(untils)s::date[]
    ) WITH ORDINALITY AS n (place, price, starts, until, number)
    JOIN ({ASKED}) k ON k.place = n.place
    ORDER BY n.number
    RETURNING id
"""  # noqa: S608


class PriceChanged(DomainError):
    """Somebody else changed the price since it was looked at."""

    code: ClassVar[str] = "price_changed"


class BadPrice(DomainError):
    """A price cannot be kept as it was written."""

    code: ClassVar[str] = "bad_price"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field
        self.errors = [{"field": field, "code": self.code, "message": message}]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price per base unit, as it should be from `valid_from` on.

    With `customer_id` it is a contract's, with `group_id` a group's, else of the list
    `price_list_id` (none: the entity's default list). `valid_until` is the first day on which it
    no longer holds; none: until the next price that is known. `seen` is the revision ("12.3") of
    the price that held on `valid_from` when somebody looked ("": nobody did; "0": there was none).
    """

    entity_id: int
    product_id: int
    currency: str
    unit_price: Decimal
    valid_from: date
    customer_id: int | None = None
    min_quantity: Decimal = Decimal(0)
    valid_until: date | None = None
    group_id: int | None = None
    price_list_id: int | None = None
    uom: str = ""
    seen: str = ""

    @property
    def kind(self) -> str:
        if self.customer_id is not None:
            return "contract"
        return "group" if self.group_id is not None else "list"

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells one price from another, dates apart."""
        return tuple(getattr(self, name) for name in COLUMNS)

    @property
    def period(self) -> Period:
        return Period(self.valid_from, self.valid_until, self.unit_price)


@dataclass(frozen=True, slots=True)
class Stored:
    """One price as it is kept now."""

    id: int
    period: Period
    revision: int

    @property
    def seen(self) -> str:
        return f"{self.id}.{self.revision}"


@transaction.atomic
def upsert_prices(
    *, rows: Sequence[PriceRow], actor: User | None, now: datetime, reason: str = ""
) -> list[int]:
    """Bring prices to what `rows` say; return those that changed. Orders keep what they were told.

    A new price ends the one before it; one with an end interrupts it. Nothing of a series ever
    overlaps. Locks the prices of the series that are touched, by id. Six statements at most.

    Raises:
        BadPrice: a price is negative or has too many decimals, or ends before it begins.
        PriceChanged: a price is not what its author looked at, or somebody wrote it just now.
    """
    for row in rows:
        refuse_unfit(row)
    by_key: dict[tuple[Any, ...], list[PriceRow]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    wanted = list(by_key.values())
    known = _stored(wanted)
    for group, stored in zip(wanted, known, strict=True):
        _refuse_unseen(group, stored)
    plans = [
        edits(before, laid_over(before, [row.period for row in group]))
        for group, before in zip(wanted, _periods(known), strict=True)
    ]
    try:
        with transaction.atomic():
            changed, changes = _apply(wanted, known, plans, reason)
    except IntegrityError as error:
        raise PriceChanged("Somebody else has just written that price: look again.") from error
    record(changes=changes, actor=actor, now=now)
    return changed


def _stored(wanted: Sequence[Sequence[PriceRow]]) -> list[list[Stored]]:
    """Lock and read the prices of each series. Read after the lock: what it waited for counts."""
    found: list[list[Stored]] = [[] for _ in wanted]
    if not wanted:
        return found
    keys = _columns(wanted)
    rows(LOCK, keys)
    for row in records(READ, keys):
        period = Period(row["valid_from"], row["valid_until"], row["unit_price"])
        found[row["place"] - 1].append(Stored(row["id"], period, row["revision"]))
    return found


def _columns(wanted: Sequence[Sequence[PriceRow]]) -> dict[str, list[Any]]:
    return {name: [getattr(group[0], name) for group in wanted] for name in COLUMNS}


def _periods(known: Sequence[Sequence[Stored]]) -> list[list[Period]]:
    return [[each.period for each in stored] for stored in known]


def refuse_unfit(row: PriceRow) -> None:
    """Refuse what cannot be kept as it is written.

    Raises:
        BadPrice: the field is named.
    """
    if not is_exact(row.unit_price, PRICE_STEP, AMOUNT_MAX) or row.unit_price < 0:
        raise BadPrice("A price is zero or more, to four decimals.", "unit_price")
    if not is_exact(row.min_quantity, STEP, QUANTITY_MAX) or row.min_quantity < 0:
        raise BadPrice("A break is zero or more, to a thousandth.", "min_quantity")
    if row.valid_until is not None and row.valid_until <= row.valid_from:
        raise BadPrice("It ends before it begins.", "valid_to")
    if row.customer_id is not None and (row.group_id or row.price_list_id):
        raise BadPrice("A contract is a customer's, a group's, or of no one: a list.", "customer")
    if row.group_id is not None and row.price_list_id is not None:
        raise BadPrice("A price is a group's or of a list, not both.", "group")


def _refuse_unseen(group: Sequence[PriceRow], stored: Sequence[Stored]) -> None:
    for row in group:
        if not row.seen:
            continue
        now = next((each for each in stored if each.period.holds(row.valid_from)), None)
        if row.seen != (now.seen if now else "0"):
            price = f"{now.period.price.normalize():f}" if now else "gone"
            raise PriceChanged(
                f"Somebody changed this price meanwhile: it is {price} now. Look again."
            )


def _apply(
    wanted: Sequence[Sequence[PriceRow]],
    known: Sequence[Sequence[Stored]],
    plans: Sequence[Edits],
    reason: str,
) -> tuple[list[int], list[Change]]:
    """Write the plans down; return the prices that changed and what to record of them."""
    changes: list[Change] = []
    gone: list[int] = []
    moved: list[tuple[int, Period]] = []
    fresh: list[tuple[int, Period]] = []
    for place, (group, stored, plan) in enumerate(zip(wanted, known, plans, strict=True), 1):
        by_start = {each.period.starts: each for each in stored}
        for start in plan.gone:
            gone.append(by_start[start].id)
            before = _shown(group[0], by_start[start].period)
            changes.append(
                _change("remove", group[0], by_start[start].id, before=before, reason=reason)
            )
        for period in plan.changed:
            old = by_start[period.starts]
            moved.append((old.id, period))
            before, after = _shown(group[0], old.period), _shown(group[0], period)
            changes.append(
                _change("change", group[0], old.id, before=before, after=after, reason=reason)
            )
        fresh += [(place, period) for period in plan.added]
    if gone:
        run(DELETE, {"ids": gone})
    ids = [each for each, _ in moved]
    untils = [period.ends for _, period in moved]
    if moved:
        run(CUT, {"ids": ids, "untils": untils})
        run(CHANGE, {"ids": ids, "untils": untils, "prices": [p.price for _, p in moved]})
    added = _insert(wanted, fresh)
    for (place, period), price_id in zip(fresh, added, strict=True):
        row = wanted[place - 1][0]
        changes.append(_change("add", row, price_id, after=_shown(row, period), reason=reason))
    return [*ids, *added], changes


def _insert(wanted: Sequence[Sequence[PriceRow]], fresh: Sequence[tuple[int, Period]]) -> list[int]:
    if not fresh:
        return []
    columns = {
        "places": [place for place, _ in fresh],
        "prices": [period.price for _, period in fresh],
        "starts": [period.starts for _, period in fresh],
        "untils": [period.ends for _, period in fresh],
    }
    return [row[0] for row in rows(INSERT, {**columns, **_columns(wanted)})]


def _shown(row: PriceRow, period: Period) -> Mapping[str, Any]:
    return {
        "product": row.product_id,
        "unit_price": f"{period.price:f}",
        "currency": row.currency,
        "kind": row.kind,
        "min_quantity": f"{row.min_quantity:f}",
        "from": period.starts,
        "until": period.ends,
    }


def _change(
    verb: str,
    row: PriceRow,
    price_id: int,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str,
) -> Change:
    """Return an entry in the story of the customer whose contract it is, else of the product."""
    thread = f"inventory.product:{row.product_id}"
    if row.customer_id is not None:
        thread = f"orders.customer:{row.customer_id}"
    return Change(
        entity_id=row.entity_id,
        action=f"orders.{verb}_price",
        subject_kind="orders.price",
        subject_id=price_id,
        thread=thread,
        before=before,
        after=after,
        reason=reason,
    )
