"""Lets transfers leave."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.kernel.calendars import BusinessCalendar
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import TransferShipped
from inventory.models import Lane, StockMove, StockStatus, Transfer
from inventory.rules import Draw, Pool, draw, moved_on, sold_at
from inventory.services._layering import layered
from inventory.services._posting import Movement, posting, posting_and
from inventory.services.numbering._transferring import send_serials
from inventory.services.transferring._moving import siblings
from inventory.services.transferring._telling import LINE, facts, note, tell_destinations

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Transfer.State
PIECE = "inventory.transferpiece"
DONE = {State.IN_TRANSIT, State.RECEIVED, State.CLOSED}

PIECES = """
    SELECT p.id, l.transfer_id, l.id, l.product_id, p.stock_id, p.quantity
    FROM inventory_transferpiece p
    JOIN inventory_transferline l ON l.id = p.line_id
    WHERE l.transfer_id = ANY(%s)
    ORDER BY p.id
"""

POOLS = """
    SELECT c.entity_id, c.product_id, c.quantity, c.value, c.method
    FROM inventory_productcost c
    WHERE (c.entity_id, c.product_id) IN (
        SELECT * FROM unnest(%(entities)s::bigint[], %(products)s::bigint[])
    )
"""

SEND = posting_and(
    """
    , served AS (
        UPDATE inventory_reservation r
        SET closed_at = %(now)s, closed_as = 'shipped'
        FROM unnest(%(lines)s::bigint[], %(stocks)s::bigint[], %(quantities)s::numeric[])
            AS d (line_id, stock_id, quantity)
        JOIN locked ON locked.id = d.stock_id
        WHERE r.stock_id = d.stock_id AND r.demand_id = d.line_id AND r.demand_kind = %(demand)s
            AND r.closed_at IS NULL AND r.quantity = d.quantity
        RETURNING r.id
    ), priced AS (
        UPDATE inventory_transferpiece p
        SET cost = d.cost, price = d.price, landed = d.landed
        FROM unnest(%(pieces)s::bigint[], %(costs)s::numeric[], %(prices)s::numeric[],
            %(landeds)s::numeric[]) AS d (id, cost, price, landed)
        WHERE p.id = d.id
    )
    SELECT (SELECT count(*) FROM served), (SELECT bool_or(is_serial) FROM locked)
"""
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sister company pays: `markup` on cost, `rate` its currency for one of the seller's."""

    markup: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class SentGoods:
    """A transfer that left: `cost` and `price` in the sender's currency, `landed` the owner's.

    Within one company the three are equal.
    """

    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    cost: Decimal
    price: Decimal
    landed: Decimal


class _Piece(NamedTuple):
    id: int
    transfer_id: int
    line_id: int
    product_id: int
    stock_id: int
    quantity: Decimal


class _Worth(NamedTuple):
    cost: Decimal
    price: Decimal
    landed: Decimal
    draws: Sequence[Draw]


@transaction.atomic
def send_transfers(
    *,
    transfer_ids: Collection[int],
    terms: Mapping[int, Terms],
    actor: "User | None",
    now: datetime,
) -> list[SentGoods]:
    """Let picked transfers leave, all or none; return those that did so now.

    The goods leave available stock and are in transit at their destination, owned by whoever is to
    own them: within one company their value stays as it is; sold, they leave at average cost and
    come in at the price, by `terms` of the transfer's id. Those that left before are passed over.
    Locks transfers, then costs, then stock rows, each in id order. Called by finance, which posts
    both companies' ledgers in the same commit.

    Raises:
        Transfer.DoesNotExist: one of them is not there.
        TransitionNotAllowed: one of them is not picked.
        KeyError: a sale has no terms.

    Publishes:
        TransferShipped
    """
    due = [t for t in Transfer.objects.lock_many(list(transfer_ids)) if t.state not in DONE]
    expected = _expected(due, now)
    for each in due:
        each.ship(by_id=actor and actor.pk, at=now, expected=expected[each.pk])
    if not due:
        return []
    by_id = {each.pk: each for each in due}
    pieces = [_Piece(*row) for row in rows(PIECES, [list(by_id)])]
    targets = siblings(
        [
            (
                piece.stock_id,
                by_id[piece.transfer_id].to_entity_id,
                by_id[piece.transfer_id].destination_id,
                str(StockStatus.IN_TRANSIT),
            )
            for piece in pieces
        ],
        now=now,
    )
    worths = _worths(pieces, by_id, terms)
    _post(
        [(piece, target, worths[piece.id]) for piece, target in zip(pieces, targets, strict=True)],
        {each.pk for each in due if each.is_sale},
        actor,
        now,
    )
    Transfer.objects.bulk_update(due, ["state", "shipped_at", "shipped_by", "expected_date"])
    note(due, "ship_transfer", State.PICKED, actor, now)
    tell_destinations(list(by_id))
    publish_all([TransferShipped(**facts(each)) for each in due])
    return [_sent(each, pieces, worths) for each in due]


def _worths(
    pieces: Sequence[_Piece], by_id: Mapping[int, Transfer], terms: Mapping[int, Terms]
) -> dict[int, _Worth]:
    """Return what each piece is worth; what one company sells of a product comes out of one pool.

    What stays in the company is worth its average there, for the record only: nothing is posted.
    """
    keys = {(by_id[piece.transfer_id].entity_id, piece.product_id) for piece in pieces}
    params = {"entities": [key[0] for key in keys], "products": [key[1] for key in keys]}
    found = rows(POOLS, params)
    pools = layered(
        {(row[0], row[1]): Pool(row[2], row[3]) for row in found},
        {(row[0], row[1]): row[4] for row in found},
    )
    worths = {}
    for piece in pieces:
        transfer = by_id[piece.transfer_id]
        key = (transfer.entity_id, piece.product_id)
        issued = draw(pools[key], [piece.quantity])[0]
        cost = issued.cost
        if not transfer.is_sale:
            worths[piece.id] = _Worth(cost, cost, cost, ())
            continue
        pools[key] = moved_on(pools[key], -piece.quantity, -cost, draws=issued.draws)
        agreed = terms[transfer.pk]
        price, landed = sold_at(cost, agreed.markup, agreed.rate)
        worths[piece.id] = _Worth(cost, price, landed, issued.draws)
    return worths


def _post(
    carried: Sequence[tuple[_Piece, int, _Worth]],
    sales: Collection[int],
    actor: "User | None",
    now: datetime,
) -> None:
    """Move each piece into the row it travels in, with its value where it is sold (`sales`)."""
    movements = []
    for piece, target, worth in carried:
        is_sale = piece.transfer_id in sales
        out, into = (-worth.cost, worth.landed) if is_sale else (Decimal(0), Decimal(0))
        movements += [
            Movement(
                piece.stock_id,
                -piece.quantity,
                out,
                piece.id,
                released=piece.quantity,
                draws=worth.draws,
            ),
            Movement(target, piece.quantity, into, piece.id),
        ]
    pieces, worths = [each[0] for each in carried], [each[2] for each in carried]
    params = posting(
        movements, kind=StockMove.Kind.TRANSFER, cause_kind=PIECE, actor=actor, now=now
    ) | {
        "demand": LINE,
        "lines": [piece.line_id for piece in pieces],
        "stocks": [piece.stock_id for piece in pieces],
        "quantities": [piece.quantity for piece in pieces],
        "pieces": [piece.id for piece in pieces],
        "costs": [worth.cost for worth in worths],
        "prices": [worth.price for worth in worths],
        "landeds": [worth.landed for worth in worths],
    }
    served, has_serials = rows(SEND.of(params), params)[0]
    if served != len(pieces):
        raise RuntimeError("a transfer would leave without a reservation")  # undoes everything
    if has_serials:
        send_serials({each[0].id: each[1] for each in carried}, actor=actor, now=now)


def _expected(due: Sequence[Transfer], now: datetime) -> dict[int, date]:
    """Return when each arrives: by its lane's working days from today, or as was expected."""
    lanes = {
        (lane.origin_id, lane.destination_id): lane.days
        for lane in Lane.objects.filter(origin_id__in={each.origin_id for each in due})
    }
    expected = {}
    for each in due:
        zone = ZoneInfo(each.origin.time_zone)
        today = now.astimezone(zone).date()
        days = lanes.get((each.origin_id, each.destination_id))
        expected[each.pk] = (
            max(each.expected_date, today)
            if days is None
            else BusinessCalendar(zone).next_working_day(today, days=days)
        )
    return expected


def _sent(transfer: Transfer, pieces: Sequence[_Piece], worths: Mapping[int, _Worth]) -> SentGoods:
    own = [worths[piece.id] for piece in pieces if piece.transfer_id == transfer.pk]
    return SentGoods(
        transfer.pk,
        transfer.number,
        transfer.entity_id,
        transfer.to_entity_id,
        sum((each.cost for each in own), Decimal(0)),
        sum((each.price for each in own), Decimal(0)),
        sum((each.landed for each in own), Decimal(0)),
    )
