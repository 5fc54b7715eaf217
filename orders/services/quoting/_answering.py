"""Sends quotes, and notes what customers and time answered."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from orders.events import QuoteAccepted, QuoteDeclined, QuoteExpired, QuoteSent
from orders.models import Quote
from orders.services._locking import lock
from orders.services.quoting._writing import ValidityOver, tell

OVERDUE = """
    SELECT q.id FROM orders_quote q JOIN accounts_entity e ON e.id = q.entity_id
    WHERE q.state IN ('sent', 'accepted')
      AND q.valid_until < (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    ORDER BY q.id LIMIT %(limit)s
    FOR NO KEY UPDATE OF q SKIP LOCKED
"""

OVER = """
    SELECT q.valid_until < (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    FROM orders_quote q JOIN accounts_entity e ON e.id = q.entity_id WHERE q.id = %(quote)s
"""


class NotSendable(DomainError):
    """Only a draft is sent."""

    code: ClassVar[str] = "not_sendable"


class NotAnswerable(DomainError):
    """The quote was not sent, has expired, or was answered otherwise."""

    code: ClassVar[str] = "not_answerable"


@transaction.atomic
def send_quote(*, quote_id: int, actor: User | None, now: datetime) -> Quote:
    """Fix a draft quote and call it sent; from then on its prices hold. Sent again, it stays.

    Raises:
        Quote.DoesNotExist: there is no such quote.
        NotSendable: it is no draft.
        ValidityOver: it does not hold any more.

    Publishes:
        QuoteSent
    """
    quote = _locked(quote_id)
    if quote.state == Quote.State.SENT:
        return quote
    if quote.state != Quote.State.DRAFT:
        raise NotSendable(f"{quote.number} is {quote.get_state_display().lower()}.")
    if is_over(quote, now):
        raise ValidityOver("Its validity is over: give it a later date.", "valid_until")
    quote.send(at=now)
    quote.save(update_fields=["state", "sent_at"])
    tell(quote, "send_quote", actor, now)
    publish_all([QuoteSent(**facts(quote))])
    return quote


@transaction.atomic
def accept_quote(*, quote_id: int, actor: User | None, now: datetime) -> Quote:
    """Note that the customer accepts. Accepted again, it stays.

    Raises:
        Quote.DoesNotExist: there is no such quote.
        NotAnswerable: it was not sent, has expired or was declined.

    Publishes:
        QuoteAccepted
    """
    quote = _locked(quote_id)
    if quote.state in {Quote.State.ACCEPTED, Quote.State.ORDERED}:
        return quote
    take(quote, actor, now)
    publish_all([QuoteAccepted(**facts(quote))])
    return quote


@transaction.atomic
def decline_quote(*, quote_id: int, reason: str, actor: User | None, now: datetime) -> Quote:
    """Note that the customer declines, and why, if they say. Declined again, it stays.

    Raises:
        Quote.DoesNotExist: there is no such quote.
        NotAnswerable: it was not sent, has expired or was accepted.

    Publishes:
        QuoteDeclined
    """
    quote = _locked(quote_id)
    if quote.state == Quote.State.DECLINED:
        return quote
    if quote.state != Quote.State.SENT:
        raise NotAnswerable(f"{quote.number} is {quote.get_state_display().lower()}.")
    quote.decline(at=now, reason=reason.strip()[:300])
    quote.save(update_fields=["state", "answered_at", "decline_reason"])
    tell(quote, "decline_quote", actor, now, reason=quote.decline_reason)
    publish_all([QuoteDeclined(**facts(quote))])
    return quote


@transaction.atomic
def expire_quotes(*, now: datetime, limit: int = 500) -> list[int]:
    """Expire the quotes whose validity is over by their entity's calendar; safe to repeat.

    Publishes:
        QuoteExpired
    """
    ids = [row[0] for row in rows(OVERDUE, {"now": now, "limit": limit})]
    move(Quote, "expire", ids)
    expired = list(Quote.objects.filter(pk__in=ids).order_by("pk"))
    for quote in expired:
        tell(quote, "expire_quote", None, now)
    publish_all([QuoteExpired(**facts(quote)) for quote in expired])
    return ids


def take(quote: Quote, actor: User | None, now: datetime) -> None:
    """Accept a locked quote.

    Raises:
        NotAnswerable: it was not sent, has expired or was declined.
    """
    if quote.state != Quote.State.SENT or is_over(quote, now):
        said = "over" if quote.state == Quote.State.SENT else quote.get_state_display().lower()
        raise NotAnswerable(f"{quote.number} is {said}: write a new version of it.")
    quote.accept(at=now)
    quote.save(update_fields=["state", "answered_at"])
    tell(quote, "accept_quote", actor, now)


def is_over(quote: Quote, now: datetime) -> bool:
    """Test if the quote's last day has passed where its entity is."""
    return bool(rows(OVER, {"now": now, "quote": quote.pk})[0][0])


def facts(quote: Quote) -> dict[str, Any]:
    """Return what every fact about a quote says."""
    return {"quote_id": quote.pk, "number": quote.number, "entity_id": quote.entity_id}


def _locked(quote_id: int) -> Quote:
    lock([], [Quote.objects.values_list("account_id", flat=True).get(pk=quote_id)])
    return Quote.objects.lock(quote_id)
