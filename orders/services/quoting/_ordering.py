"""Makes orders out of quotes: at the quote's prices, until its quantities are used up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from orders.models import Order, Quote, QuoteLine
from orders.services._capturing import create_order
from orders.services._counting import MoreThanAgreed
from orders.services._drafting import LineDraft, OrderDraft
from orders.services._locking import lock
from orders.services._refusing import BadReference
from orders.services._storing import CreatedOrder
from orders.services.quoting._answering import is_over, take
from orders.services.quoting._writing import tell


class QuoteExpired(DomainError):
    """The quote's prices hold no more."""

    code: ClassVar[str] = "quote_expired"


class NotOrderable(DomainError):
    """The quote was not sent, was declined, superseded, or is used up."""

    code: ClassVar[str] = "not_orderable"


@dataclass(frozen=True, slots=True)
class QuotePart:
    """So much of one line of the quote, in base units."""

    line_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the order says beyond the quote."""

    customer_po: str
    requested_date: date | None
    client_key: str | None
    channel: str
    ship_to: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def order_quote(
    *,
    quote_id: int,
    actor: User | None,
    now: datetime,
    parts: Sequence[QuotePart] | None = None,
    customer_po: str = "",
    requested_date: date | None = None,
    client_key: str | None = None,
    channel: str = "quote",
) -> CreatedOrder:
    """Write a draft order at the quote's prices: of `parts`, or of all that is left of it.

    A sent quote is accepted by it. The same `client_key` is the same order, once. Freight goes with
    the first order. Locks the account, then the quote and its lines.

    Raises:
        Quote.DoesNotExist: there is no such quote.
        NotOrderable: it was not sent, was declined or superseded, or nothing is left of it.
        QuoteExpired: its validity is over.
        MoreThanAgreed: more is asked for than is left.
        BadReference: a part names no line of it.
        DraftRefused: the order cannot be taken as written.
    """
    account = Quote.objects.values_list("account_id", flat=True).get(pk=quote_id)
    lock([], [account])
    quote = Quote.objects.lock(quote_id)
    known = _known(quote, client_key)
    if known is not None:
        return known
    _refuse(quote, now)
    lines = list(quote.lines.order_by("position"))
    drafts = _drafts(quote, lines, parts)
    if quote.state == Quote.State.SENT:
        take(quote, actor, now)
    wish = _Wish(customer_po, requested_date, client_key, channel)
    is_first = not any(line.ordered for line in lines)
    made = create_order(draft=_order(quote, drafts, wish, is_first=is_first), actor=actor, now=now)
    changed = Quote.objects.get(pk=quote_id)
    tell(changed, "order_quote", actor, now, after={"order": made.number})
    return made


def _known(quote: Quote, client_key: str | None) -> CreatedOrder | None:
    if not client_key:
        return None
    found = Order.objects.filter(entity_id=quote.entity_id, client_key=client_key).first()
    return None if found is None else CreatedOrder(found.pk, found.number, created=False)


def _refuse(quote: Quote, now: datetime) -> None:
    if quote.state == Quote.State.EXPIRED or is_over(quote, now):
        raise QuoteExpired(f"{quote.number} held through {quote.valid_until}: write a new version.")
    if quote.state not in {Quote.State.SENT, Quote.State.ACCEPTED}:
        said = quote.get_state_display().lower()
        raise NotOrderable(f"{quote.number} is {said}: nothing is ordered from it.")


def _drafts(
    quote: Quote, lines: Sequence[QuoteLine], parts: Sequence[QuotePart] | None
) -> list[LineDraft]:
    left = {line.pk: line.quantity - line.ordered for line in lines}
    if parts is None:
        asked = {line_id: quantity for line_id, quantity in left.items() if quantity > 0}
    else:
        asked = {}
        for place, part in enumerate(parts):
            if part.line_id not in left:
                raise BadReference("The quote has no such line.", f"lines[{place}].line")
            asked[part.line_id] = asked.get(part.line_id, Decimal(0)) + part.quantity
    if not asked:
        raise NotOrderable(f"Nothing is left of {quote.number}.")
    drafts = []
    for line in lines:
        quantity = asked.get(line.pk)
        if quantity is None:
            continue
        if quantity > left[line.pk]:
            said = f"{left[line.pk].normalize():f} is left of line {line.position}"
            raise MoreThanAgreed(f"{said} of {quote.number}.")
        drafts.append(_line(quote, line, quantity))
    return drafts


def _line(quote: Quote, line: QuoteLine, quantity: Decimal) -> LineDraft:
    is_whole = quantity == line.quantity
    return LineDraft(
        product_id=line.product_id,
        quantity=line.uom_quantity if is_whole else quantity,
        uom=line.uom if is_whole else "",
        unit_price=line.unit_price,
        discount=line.discount,
        node_id=line.node_id,
        price_source=f"quote {quote.number} line {line.position}",
        price_basis={"kind": "quote", "quote_line": line.pk},
    )


def _order(quote: Quote, lines: Sequence[LineDraft], wish: _Wish, *, is_first: bool) -> OrderDraft:
    return OrderDraft(
        entity_id=quote.entity_id,
        customer_id=quote.customer_id,
        lines=lines,
        channel=wish.channel,
        customer_po=wish.customer_po or quote.customer_po,
        requested_date=wish.requested_date or quote.requested_date,
        ship_to=quote.ship_to,
        client_key=wish.client_key,
        freight=quote.freight if is_first else Decimal(0),
    )
