"""The ways out of a shortage: from another node, or later."""

from datetime import date, datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from orders.models import Order, OrderLine
from orders.services._allocating import SERVED, AllocatedOrders, serve
from orders.services._demanding import BY_ID, heads, wants_of
from orders.services._locking import lock


class NothingWaits(DomainError):
    """The line waits for nothing."""

    code: ClassVar[str] = "nothing_waits"


class NothingThere(DomainError):
    """The node has none of it to give."""

    code: ClassVar[str] = "nothing_there"


class PromiseInThePast(DomainError):
    """A promise is for a day to come."""

    code: ClassVar[str] = "promise_in_the_past"


@transaction.atomic
def serve_from_node(
    *, line_id: int, node_id: int, actor: User | None, now: datetime
) -> AllocatedOrders:
    """Have what a line waits for kept at another node, as far as that node has it.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        NothingWaits: all of it is reserved, gone or cancelled, or the order is not released.
        NothingThere: the node has nothing available of it.
    """
    line = OrderLine.objects.select_related("order").get(pk=line_id)
    lock([line.order_id])
    chosen = heads(BY_ID, ids=[line.order_id], states=SERVED)
    wants = [want for want in wants_of([line.order_id]) if want.id == line_id]
    if not chosen or not wants:
        raise NothingWaits(f"Line {line.position} of {line.order.number} waits for nothing.")
    cause = "Served from another node"
    found = serve(chosen, wants, cause=cause, now=now, only_nodes={line_id: [node_id]})
    if not found.given[line_id]:
        raise NothingThere("The node has nothing of it that could be reserved.")
    _record(line, "orders.serve_from_node", {"node": node_id}, actor, now)
    return found


@transaction.atomic
def keep_backorder(
    *,
    line_id: int,
    promised_date: date,
    actor: User | None,
    now: datetime,
    p90_date: date | None = None,
) -> OrderLine:
    """Promise what a line waits for to another day, and leave it waiting.

    `p90_date` is the day by which it comes nine times of ten, where that is known.

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        NothingWaits: all of it is reserved, gone, cancelled, or sent by a supplier.
        PromiseInThePast: that day is over.
    """
    if promised_date < now.date():
        raise PromiseInThePast("Promise a day that is to come.")
    found = OrderLine.objects.values_list("order_id", flat=True).get(pk=line_id)
    lock([found])
    line = OrderLine.objects.select_related("order").get(pk=line_id)
    if line.waiting <= line.direct or line.order.state not in SERVED:
        raise NothingWaits(f"Line {line.position} of {line.order.number} waits for nothing.")
    line.promised_date = promised_date
    line.first_promised_date = line.first_promised_date or promised_date
    line.promised_p90_date = p90_date
    line.promise_basis = {
        "at": now.isoformat(), "by": "hand", "cause": "Kept as a backorder", "supplies": [],
    }  # fmt: skip
    line.save(
        update_fields=[
            "promised_date", "first_promised_date", "promised_p90_date", "promise_basis",
        ]
    )  # fmt: skip
    latest = max(d for d in (line.order.promised_date, promised_date) if d is not None)
    Order.objects.filter(pk=line.order_id).update(promised_date=latest)
    _record(line, "orders.keep_backorder", {"promised": promised_date.isoformat()}, actor, now)
    return line


def _record(
    line: OrderLine, action: str, said: dict[str, object], actor: User | None, now: datetime
) -> None:
    change = Change(
        entity_id=line.order.entity_id,
        action=action,
        subject_kind="orders.line",
        subject_id=line.pk,
        thread=f"orders.order:{line.order_id}",
        after={"line": line.position, **said},
    )
    record(changes=[change], actor=actor, now=now)
