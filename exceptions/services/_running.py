"""What each play does: calls of the domains' own services, in one transaction."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from erp.accounts.models import User
from erp.outbox.services import replay_deliveries
from exceptions.rules.plays import Done, Play
from exceptions.services import _buying, _carrying, _freeing, _mending, _supplying, _tidying
from finance.services import adjust_stock, invoice_shipments, void_shipment
from inventory.services import StockAdjustment

Runner = Callable[[Play, User | None, datetime], Done]


def put_back(play: Play, actor: User | None, now: datetime) -> Done:
    move_stock(
        play.facts,
        (str(play.facts["status"]), "available"),
        "Found again, or fit to sell",
        actor,
        now,
    )
    return Done(f"{play.title}: done.", play.facts)


def write_off(play: Play, actor: User | None, now: datetime) -> Done:
    move_stock(play.facts, (str(play.facts["status"]), ""), "Written off", actor, now)
    return Done(f"{play.title}: done.", play.facts)


def move_stock(
    facts: Mapping[str, str | int],
    way: tuple[str, str],
    reason: str,
    actor: User | None,
    now: datetime,
) -> None:
    """Move a quantity of stock from one status into another; empty is off the books."""
    quantity = Decimal(facts["quantity"])
    adjustments = [
        StockAdjustment(
            entity_id=int(facts["entity_id"]),
            node_id=int(facts["node_id"]),
            product_id=int(facts["product_id"]),
            quantity=change,
            reason=reason,
            status=status,
            lot_id=int(facts["lot_id"]) if facts.get("lot_id") else None,
        )
        for change, status in ((-quantity, way[0]), (quantity, way[1]))
        if status
    ]
    adjust_stock(adjustments=adjustments, kind="adjustment", actor=actor, now=now)


def replan(play: Play, actor: User | None, now: datetime) -> Done:
    shipment_id = int(play.facts["shipment_id"])
    planned = void_shipment(shipment_id=shipment_id, reason=play.title, actor=actor, now=now)
    numbers = ", ".join(one.number for one in planned)
    return Done(f"{play.title}: {numbers}." if numbers else f"{play.title}: nothing was left.")


def invoice(play: Play, actor: User | None, now: datetime) -> Done:
    done = invoice_shipments(shipment_ids=[int(play.facts["shipment_id"])], now=now)
    said = f"Invoiced as {', '.join(one.number for one in done)}." if done else "Invoiced before."
    return Done(said)


def replay(play: Play, actor: User | None, now: datetime) -> Done:
    replay_deliveries(delivery_ids=[int(play.facts["delivery_id"])])
    return Done("Given to its handler again.")


RUNNERS: Mapping[str, Runner] = {
    "other_node": _mending.send_from_node,
    "split": _mending.send_from_several,
    "partial": _mending.send_part,
    "backorder": _mending.keep,
    "pegged_inbound": _mending.hold_to_inbound,
    "redate": _mending.redate,
    "transfer": _mending.transfer,
    "transfer_group": _mending.transfer,
    "buy": _mending.buy,
    "buy_expedited": _mending.buy,
    "drop_ship": _mending.have_sent,
    "substitute": _mending.substitute,
    "cancel_line": _mending.cancel_short,
    "release": _freeing.release,
    "cancel": _freeing.cancel,
    "raise_limit": _freeing.raise_limit,
    "prepayment": _freeing.take_prepayment,
    "keep_held": _freeing.keep_held,
    "honour_contract": _freeing.price_anew,
    "honour_quote": _freeing.honour_quote,
    "reprice": _freeing.price_anew,
    "accept_late": _buying.accept_late,
    "resource": _buying.resource,
    "split_purchase": _buying.split_purchase,
    "close_rest": _buying.close_rest,
    "approve": _buying.approve,
    "send_back": _buying.send_back,
    "put_back": put_back,
    "write_off": write_off,
    "repick": _mending.send_from_node,
    "replan": replan,
    "invoice": invoice,
    "replay": replay,
    "accept_change": _supplying.accept_change,
    "stock_up": _supplying.stock_up,
    "move_in": _supplying.move,
    "move_lot": _supplying.move,
    "block_lot": _supplying.block,
    "redeliver": _carrying.send,
    "reroute": _carrying.send,
    "expedite": _carrying.send,
    "note_arrival": _carrying.note_arrival,
    "note_failure": _carrying.note_failure,
    "chase": _carrying.chase,
    "accept_loss": _carrying.accept_loss,
    "came_late": _carrying.came_late,
    "came_back": _carrying.came_back,
    "count_there": _carrying.count_there,
    "end_role": _tidying.end_role,
    "bear": _tidying.bear,
    "invoice_month": _tidying.invoice_month,
    "stop_order": _tidying.stop_order,
}
