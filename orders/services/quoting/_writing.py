"""Writes quotes, and later versions of them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from orders.models import Quote, QuoteLine
from orders.services._capturing import sheet_of
from orders.services._drafting import OrderDraft
from orders.services._locking import lock
from orders.services._pricing import PricedLine
from orders.services._refusing import DraftRefused
from orders.services._storing import Sheet

NOTE_MAX = 1_000


class QuoteFixed(DomainError):
    """The quote was sent: write a new version of it."""

    code: ClassVar[str] = "quote_is_fixed"


class ValidityOver(DraftRefused):
    """A quote holds for a day that is to come."""

    code = "validity_over"


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """An offer: the order it would become, through which day its prices hold, and a word on it.

    Of `order` the customer, lines, address, freight, number and key count.
    """

    order: OrderDraft
    valid_until: date
    note: str = ""


@transaction.atomic
def write_quote(
    *, draft: QuoteDraft, actor: User | None, now: datetime, quote_id: int | None = None
) -> Quote:
    """Write a new quote, or one anew that was not sent; its lines are priced as an order's.

    The same `client_key` in one entity is the same quote, once. Locks the account, then the quote.

    Raises:
        Quote.DoesNotExist: there is no quote `quote_id`.
        QuoteFixed: it was sent, or is another customer's.
        ValidityOver: it would not hold any day.
        DraftRefused: it cannot be taken as written; `errors` names the fields.
    """
    sheet = _sheet(draft, now)
    lock([], [sheet.account["account_id"]])
    before: dict[str, object] | None = None
    if quote_id is not None:
        quote = Quote.objects.lock(quote_id)
        if quote.state != Quote.State.DRAFT or quote.customer_id != draft.order.customer_id:
            raise QuoteFixed(f"{quote.number} was sent: write a new version of it.")
        before = {"total": f"{quote.total:f}"}
        quote.lines.all().delete()
    else:
        known = _known(draft)
        if known is not None:
            return known
        quote = Quote(entity_id=draft.order.entity_id, created_at=now, created_by=actor)
        quote.client_key = draft.order.client_key or None
    _fill(quote, draft, sheet)
    quote.save()
    _lines(quote, sheet)
    quote = Quote.objects.get(pk=quote.pk)
    tell(quote, "write_quote", actor, now, before=before, after={"total": f"{quote.total:f}"})
    return quote


@transaction.atomic
def revise_quote(*, quote_id: int, draft: QuoteDraft, actor: User | None, now: datetime) -> Quote:
    """Write the next version of a quote that was sent, as a draft; the old one is superseded.

    Raises:
        Quote.DoesNotExist: there is no such quote.
        QuoteFixed: it was accepted or ordered from, superseded, or is another customer's.
        ValidityOver: it would not hold any day.
        DraftRefused: it cannot be taken as written; `errors` names the fields.
    """
    sheet = _sheet(draft, now)
    lock([], [sheet.account["account_id"]])
    old = Quote.objects.lock(quote_id)
    fixed = {Quote.State.ACCEPTED, Quote.State.ORDERED, Quote.State.SUPERSEDED}
    if old.state in fixed or old.customer_id != draft.order.customer_id:
        raise QuoteFixed(f"{old.number} is {old.get_state_display().lower()}: it stays as it is.")
    if old.lines.filter(ordered__gt=0).exists():
        raise QuoteFixed(f"{old.number} was ordered from: it stays as it is.")
    before = str(old.state)
    old.supersede()
    old.save(update_fields=["state"])
    root = old.root or old
    version = max(root.versions.values_list("version", flat=True), default=1) + 1
    quote = Quote(
        entity_id=old.entity_id,
        number=f"{root.number}-{version}",
        root=root,
        version=version,
        created_at=now,
        created_by=actor,
    )
    _fill(quote, draft, sheet)
    quote.save()
    _lines(quote, sheet)
    tell(old, "supersede_quote", actor, now, before={"state": before}, after={"by": quote.number})
    tell(quote, "write_quote", actor, now, after={"total": f"{quote.total:f}", "version": version})
    return Quote.objects.get(pk=quote.pk)


def tell(
    quote: Quote,
    action: str,
    actor: User | None,
    now: datetime,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    """Write the audit entry of one change of a quote, on the thread of all its versions."""
    change = Change(
        entity_id=quote.entity_id,
        action=f"orders.{action}",
        subject_kind="orders.quote",
        subject_id=quote.pk,
        thread=thread_of(quote),
        before=before,
        after={"number": quote.number, "state": str(quote.state), **(after or {})},
        reason=reason,
    )
    record(changes=[change], actor=actor, now=now)


def thread_of(quote: Quote) -> str:
    return f"orders.quote:{quote.root_id or quote.pk}"


def _sheet(draft: QuoteDraft, now: datetime) -> Sheet:
    sheet = sheet_of(draft.order, now)
    if draft.valid_until < sheet.account["today"]:
        raise ValidityOver("It holds through today at least.", "valid_until")
    if len(draft.note) > NOTE_MAX:
        raise DraftRefused(f"Write at most {NOTE_MAX:,} characters.", "note")
    return sheet


def _known(draft: QuoteDraft) -> Quote | None:
    """Return the quote of the same key; the account's lock keeps two from being written."""
    key = draft.order.client_key
    found = Quote.objects.filter(entity_id=draft.order.entity_id, client_key=key)
    return found.first() if key else None


def _fill(quote: Quote, draft: QuoteDraft, sheet: Sheet) -> None:
    quote.customer_id = draft.order.customer_id
    quote.account_id = sheet.account["account_id"]
    quote.currency = sheet.account["currency"]
    quote.customer_po = draft.order.customer_po
    quote.requested_date = draft.order.requested_date
    quote.ship_to = sheet.ship_to
    quote.freight = draft.order.freight
    quote.subtotal, quote.total = sheet.subtotal, sheet.total
    quote.valid_until, quote.note = draft.valid_until, draft.note


def _lines(quote: Quote, sheet: Sheet) -> None:
    names = PricedLine.__dataclass_fields__
    QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote,
            position=position,
            **{name: getattr(line, name) for name in names if hasattr(QuoteLine, name)},
        )
        for position, line in enumerate(sheet.lines, 1)
    )
