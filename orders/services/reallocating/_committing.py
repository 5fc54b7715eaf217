"""Does what was simulated, if it still comes out the same; or lets it go."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.events import Event
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.services import plan_shipments
from inventory.services.reallocating import Shared, commit_reallocation
from orders.events import LineCovered, LineFellShort, OrderAllocated
from orders.models import OrderLine, Reallocation
from orders.rules import Progress
from orders.services._demanding import follow, give, promises, reserved_lines, source
from orders.services.reallocating._gathering import Gathered, gather
from orders.services.reallocating._refusing import Overtaken

if TYPE_CHECKING:
    from orders.services._demanding import Head

TAKE = """
    UPDATE orders_orderline l SET reserved = l.reserved - d.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS d (id, quantity)
    WHERE l.id = d.id
"""
STANDING = """
    SELECT order_id, sum(quantity - cancelled), sum(reserved), sum(shipped), max(promised_date)
    FROM orders_orderline WHERE order_id = ANY(%(ids)s) GROUP BY order_id
"""
WAITING = "SELECT id, waiting FROM orders_orderline WHERE id = ANY(%(ids)s)"


def do(of: Reallocation, actor: User | None, now: datetime) -> Reallocation:
    """Share out as simulated, in one go, and let orders, promises and shipments follow.

    It is locked. Locks the orders that take part, their shipments, then the stock, in id order.

    Raises:
        Overtaken: it would come out otherwise by now; nothing is changed.
    """
    gathered = gather(of, now, is_locked=True)
    expected = {
        line: (before, after)
        for line, before, after in of.changes.values_list("line_id", "before", "after")
    }
    shared = commit_reallocation(
        field=gathered.field,
        expected=expected,
        cause=f"Re-allocation {of.number}",
        policy_version=of.policy_version[:60],
        now=now,
    )
    if shared.run_id is None:
        raise Overtaken(of, _labels(shared.differing(expected)))
    of.commit(by_id=actor and actor.pk, at=now, run_id=shared.run_id)
    of.save(update_fields=["state", "committed_by", "committed_at", "run"])
    _follow(of, shared, gathered, actor, now)
    return of


def _labels(line_ids: Sequence[int]) -> list[str]:
    found = OrderLine.objects.filter(pk__in=line_ids).order_by("pk")
    listed = found.values_list("order__number", "position")
    return [f"{number} line {position}" for number, position in listed]


def _follow(
    of: Reallocation, shared: Shared, gathered: Gathered, actor: User | None, now: datetime
) -> None:
    """Mirror on the lines what they hold, move their orders, plan anew what leaves, and tell."""
    gained = {each.id: each.after - each.before for each in shared.changed}
    if not gained:
        return
    owners = {line: gathered.heads[gathered.parts[line].row.order_id] for line in gained}
    lost = {line: -quantity for line, quantity in gained.items() if quantity < 0}
    if lost:
        run(TAKE, {"ids": list(lost), "quantities": list(lost.values())})
    won = {line: quantity for line, quantity in gained.items() if quantity > 0}
    pieces = [piece for piece in shared.gained if piece.demand_id in owners]
    give(won, promises(pieces, owners, now), now)
    orders = {head.id: head for head in owners.values()}
    before = {head.id: head.state for head in orders.values()}
    progress, dates = _standing(list(orders))
    states = before | follow(progress, before, dates)
    kept = reserved_lines(list(orders))
    plan_shipments(
        orders=[
            source(head, kept[order_id], dates[order_id] or head.promised_date)
            for order_id, head in sorted(orders.items())
            if order_id in kept
        ],
        now=now,
    )
    _record(of, orders, states, actor, now)
    publish_all(_facts(gained, owners, states, gathered))


def _standing(ids: Sequence[int]) -> tuple[Mapping[int, Progress], Mapping[int, date | None]]:
    """Return by order how far it has come, and its promise once nothing of it waits."""
    found = rows(STANDING, {"ids": list(ids)})
    progress = {row[0]: Progress(row[1], row[2], row[3]) for row in found}
    dates = {row[0]: row[4] if progress[row[0]].waiting <= 0 else None for row in found}
    return progress, dates


def _record(
    of: Reallocation,
    orders: "Mapping[int, Head]",
    states: Mapping[int, str],
    actor: User | None,
    now: datetime,
) -> None:
    changes = [
        Change(
            entity_id=head.entity_id,
            action="orders.reallocate",
            subject_kind="orders.order",
            subject_id=head.id,
            thread=f"orders.order:{head.id}",
            before={"state": head.state},
            after={"state": states[head.id], "reallocation": of.number},
            reason=of.reason or f"Re-allocation {of.number}",
            policy_version=of.policy_version,
        )
        for head in orders.values()
    ]
    record(changes=changes, actor=actor, now=now)


def _facts(
    gained: Mapping[int, Decimal],
    owners: "Mapping[int, Head]",
    states: Mapping[int, str],
    gathered: Gathered,
) -> list[Event]:
    heads = {head.id: head for line, head in owners.items() if gained[line]}
    facts: list[Event] = [
        OrderAllocated(
            order_id=head.id, number=head.number, entity_id=head.entity_id, state=states[head.id]
        )
        for head in heads.values()
    ]
    waiting = dict(rows(WAITING, {"ids": list(gained)}))
    for line, quantity in gained.items():
        head = owners[line]
        about: dict[str, Any] = {
            "line_id": line,
            "order_id": head.id,
            "number": head.number,
            "entity_id": head.entity_id,
        }
        if quantity < 0:
            product = gathered.parts[line].row.product_id
            facts.append(LineFellShort(**about, product_id=product, missing=f"{waiting[line]:f}"))
        elif quantity > 0 and waiting[line] <= 0:
            facts.append(LineCovered(**about))
    return facts
