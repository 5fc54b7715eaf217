"""Carries serial numbers along with what is posted: each piece goes where its balance says."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run

if TYPE_CHECKING:
    from erp.accounts.models import User

NUMBER_MAX = 60

PRODUCTS = "SELECT id, code, tracking FROM inventory_product WHERE id = ANY(%s)"

# Pieces that are taken alike: by the same shipment, the same transfer or nobody.
THERE = Prepared("""
    SELECT wanted.place, n.number
    FROM unnest(%(places)s::int[], %(sources)s::bigint[], %(lines)s::bigint[],
        %(pieces)s::bigint[], %(quantities)s::numeric[])
        AS wanted (place, stock_id, line_id, piece_id, quantity)
    CROSS JOIN LATERAL (
        SELECT number FROM inventory_serial n
        WHERE n.stock_id = wanted.stock_id AND coalesce(n.line_id, 0) = wanted.line_id
            AND coalesce(n.piece_id, 0) = wanted.piece_id
        ORDER BY n.id LIMIT wanted.quantity::bigint + 1
    ) n
""")

NEW = Prepared("""
    INSERT INTO inventory_serial (product_id, number, created_at, moved_at)
    SELECT product_id, number, %(now)s::timestamptz, %(now)s::timestamptz
    FROM unnest(%(products)s::bigint[], %(numbers)s::text[]) AS d (product_id, number)
    ORDER BY product_id, number
    ON CONFLICT DO NOTHING
""")

FOUND = """
    WITH found AS MATERIALIZED (
        SELECT n.id, n.product_id, n.number, n.stock_id, n.line_id, n.piece_id
        FROM inventory_serial n
        WHERE (n.product_id, n.number)
            IN (SELECT * FROM unnest(%(products)s::bigint[], %(numbers)s::text[]))
        ORDER BY n.id {lock}
    )
    SELECT found.product_id, found.number, found.id, coalesce(found.stock_id, 0),
        coalesce(found.line_id, 0), coalesce(found.piece_id, 0),
        coalesce(nd.code || ' (' || replace(s.status, '_', ' ') || ')', ''),
        coalesce(sh.number, t.number, '')
    FROM found
    LEFT JOIN inventory_stock s ON s.id = found.stock_id
    LEFT JOIN inventory_node nd ON nd.id = s.node_id
    LEFT JOIN inventory_shipmentline l ON l.id = found.line_id
    LEFT JOIN inventory_shipment sh ON sh.id = l.shipment_id
    LEFT JOIN inventory_transferpiece p ON p.id = found.piece_id
    LEFT JOIN inventory_transferline tl ON tl.id = p.line_id
    LEFT JOIN inventory_transfer t ON t.id = tl.transfer_id
"""
SAME_COMPANY = """
    SELECT there.entity_id = own.entity_id
    FROM inventory_stock there, inventory_stock own WHERE there.id = %s AND own.id = %s
"""
LOOK = Prepared(FOUND.format(lock=""))
# Locked in id order, after every balance.
FIND = Prepared(FOUND.format(lock="FOR UPDATE"))

CARRY = Prepared("""
    WITH step AS (
        SELECT * FROM unnest(%(serials)s::bigint[], %(sources)s::bigint[], %(targets)s::bigint[],
            %(lines)s::bigint[], %(pieces)s::bigint[], %(causes)s::bigint[])
            AS step (serial_id, source, target, line_id, piece_id, cause_id)
    ), carried AS (
        UPDATE inventory_serial n
        SET stock_id = nullif(step.target, 0), line_id = nullif(step.line_id, 0),
            piece_id = nullif(step.piece_id, 0), moved_at = %(now)s::timestamptz
        FROM step WHERE n.id = step.serial_id
    )
    INSERT INTO inventory_serialmove
        (at, kind, serial_id, source_id, target_id, cause_kind, cause_id, actor_id)
    SELECT %(now)s::timestamptz, %(kind)s::text, serial_id, nullif(source, 0), nullif(target, 0),
        %(cause_kind)s::text, cause_id, %(actor)s::bigint
    FROM step ORDER BY serial_id
""")


class SerialsNeeded(DomainError):
    """Other than one serial number was named for each piece of a product that is kept by them."""

    code: ClassVar[str] = "serials_needed"

    def __init__(self, product: str, quantity: Decimal, named: int, line_id: int = 0) -> None:
        pieces = f"{quantity.normalize():f}"
        super().__init__(
            f"{product}: name the serial number of each of the {pieces} pieces, not of {named}."
        )
        self.product, self.line_id = product, line_id
        self.errors = [{"field": "serials", "code": self.code, "message": str(self)}]


class BadSerial(DomainError):
    """A serial number is none, or its piece is not where it was said to be."""

    code: ClassVar[str] = "bad_serial"

    def __init__(self, product: str, number: str, why: str, line_id: int = 0) -> None:
        super().__init__(f"{product}: serial number {number[:NUMBER_MAX]!r} {why}.")
        self.product, self.number, self.line_id = product, number, line_id
        self.errors = [{"field": "serials", "code": self.code, "message": str(self)}]


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialStep:
    """So many pieces go from one balance to another; 0 is outside.

    They were taken by (shipment line, transfer piece), 0 by nobody, and are taken so after. Without
    `numbers` they are all that lie there and are taken like that, where those are so many and the
    step `may_infer` them.
    """

    product_id: int
    quantity: Decimal
    source: int
    target: int
    cause_id: int
    numbers: Sequence[str] = ()
    was: tuple[int, int] = (0, 0)
    taken: tuple[int, int] = (0, 0)
    may_infer: bool = False


class _Piece(NamedTuple):
    id: int
    stock_id: int
    line_id: int
    piece_id: int
    place: str
    document: str


def carry_serials(
    steps: Sequence[SerialStep],
    *,
    kind: str,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Move pieces with what was posted, all or none. At most five statements for thousands.

    The caller holds the locks of the balances; the pieces are locked in id order.

    Raises:
        SerialsNeeded: not one number is named for each piece.
        BadSerial: a number is none or named twice, or its piece lies elsewhere or is taken.
    """
    due, codes, keys = _named_once(steps)
    if not due:
        return
    coming = [(s.product_id, number) for s in due if not s.source for number in s.numbers]
    if coming:
        run(NEW, _named(coming) | {"now": now})
    pieces = {(row[0], row[1]): _Piece(*row[2:]) for row in rows(FIND, _named(keys))}
    for each in due:
        for number in each.numbers:
            _check(each, codes[each.product_id], number, pieces.get((each.product_id, number)))
    carried = [(each, pieces[each.product_id, number]) for each in due for number in each.numbers]
    params = {
        "serials": [piece.id for _, piece in carried],
        "sources": [each.source for each, _ in carried],
        "targets": [each.target for each, _ in carried],
        "lines": [each.taken[0] for each, _ in carried],
        "pieces": [each.taken[1] for each, _ in carried],
        "causes": [each.cause_id for each, _ in carried],
        "kind": str(kind),
        "cause_kind": cause_kind,
        "actor": actor.pk if actor else None,
        "now": now,
    }
    run(CARRY, params)


def check_serials(steps: Sequence[SerialStep]) -> None:
    """Refuse what `carry_serials` would refuse now, for what is only asked for. Locks nothing.

    Raises:
        SerialsNeeded, BadSerial: as there.
    """
    due, codes, keys = _named_once(steps)
    pieces = {(row[0], row[1]): _Piece(*row[2:]) for row in rows(LOOK, _named(keys))} if due else {}
    for each in due:
        for number in each.numbers:
            piece = pieces.get((each.product_id, number))
            if each.source or piece is not None:
                _check(each, codes[each.product_id], number, piece)


def refuse_numbers(product_id: int, numbers: Sequence[str]) -> None:
    """Refuse serial numbers of a product that is not kept by them.

    Raises:
        BadSerial: there are any.
    """
    if numbers:
        code = rows(PRODUCTS, [[product_id]])[0][1]
        raise BadSerial(code, numbers[0], "was named, but it is not kept by serial number")


def check_numbers(product: str, numbers: Sequence[str]) -> None:
    """Refuse what is no serial number, and what is named twice.

    Raises:
        BadSerial: one is.
    """
    for number, times in Counter(numbers).items():
        if not number or len(number) > NUMBER_MAX or not number.isprintable():
            raise BadSerial(product, number, f"does not have 1 to {NUMBER_MAX} characters")
        if times > 1:
            raise BadSerial(product, number, "is named twice")


def _named_once(
    steps: Sequence[SerialStep],
) -> tuple[list[SerialStep], dict[int, str], list[tuple[int, str]]]:
    """Return the steps with one clean number a piece, their products' codes, and all keys."""
    due = [each for each in steps if each.quantity]
    if not due:
        return [], {}, []
    codes = {row[0]: str(row[1]) for row in rows(PRODUCTS, [[each.product_id for each in due]])}
    due = _inferred(_cleaned(due, codes))
    for each in due:
        if len(each.numbers) != each.quantity:
            raise SerialsNeeded(
                codes[each.product_id], each.quantity, len(each.numbers), each.taken[0]
            )
    keys = [(each.product_id, number) for each in due for number in each.numbers]
    for (product_id, number), times in Counter(keys).items():
        if times > 1:
            raise BadSerial(codes[product_id], number, "is named twice")
    return due, codes, keys


def _cleaned(steps: Sequence[SerialStep], codes: dict[int, str]) -> list[SerialStep]:
    cleaned = []
    for each in steps:
        numbers = [number.strip() for number in each.numbers]
        check_numbers(codes[each.product_id], numbers)
        cleaned.append(replace(each, numbers=numbers))
    return cleaned


def _inferred(steps: Sequence[SerialStep]) -> list[SerialStep]:
    """Fill in the numbers where only those can be meant."""
    open_ = {place: each for place, each in enumerate(steps) if each.may_infer and not each.numbers}
    if not open_:
        return list(steps)
    params = {
        "places": list(open_),
        "sources": [each.source for each in open_.values()],
        "lines": [each.was[0] for each in open_.values()],
        "pieces": [each.was[1] for each in open_.values()],
        "quantities": [each.quantity for each in open_.values()],
    }
    there: dict[int, list[str]] = defaultdict(list)
    for place, number in rows(THERE, params):
        there[place].append(number)
    return [
        replace(each, numbers=there[place])
        if place in open_ and len(there[place]) == each.quantity
        else each
        for place, each in enumerate(steps)
    ]


def _check(step: SerialStep, code: str, number: str, piece: _Piece | None) -> None:
    if piece is None:
        raise BadSerial(code, number, "is not known", step.taken[0])
    if piece.stock_id != step.source:
        if piece.stock_id:
            raise BadSerial(code, number, _elsewhere(step, piece), step.taken[0])
        gone = f": it left on {piece.document}" if piece.document else ""
        raise BadSerial(code, number, f"is not in stock{gone}", step.taken[0])
    if step.source and (piece.line_id, piece.piece_id) != step.was:
        taken = f"is taken by {piece.document}" if piece.document else "was not picked for it"
        raise BadSerial(code, number, taken, step.taken[0])


def _elsewhere(step: SerialStep, piece: _Piece) -> str:
    """Say where a piece lies; of another company's stock only that it does."""
    own = max(step.source, step.target)
    same = rows(SAME_COMPANY, [piece.stock_id, own])
    if not same or not same[0][0]:
        return "lies in another company's stock" if same else "lies somewhere else"
    taken = f", for {piece.document}" if piece.document else ""
    return f"lies at {piece.place}{taken}"


def _named(keys: Sequence[tuple[int, str]]) -> dict[str, Sequence[object]]:
    return {"products": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
