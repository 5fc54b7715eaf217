"""orders/services/quoting: from an offer to orders, and back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.governance.models import AuditEntry
from erp.kernel.errors import DomainError
from erp.outbox.models import Message
from orders.models import CreditAccount, Order, Quote, QuoteLine
from orders.services import (
    Amendment,
    BadReference,
    LineChange,
    LineDraft,
    MoreThanAgreed,
    NotADraft,
    amend_draft,
    amend_order,
    cancel_order,
    submit_order,
)
from orders.services.quoting import (
    NotAnswerable,
    NotOrderable,
    NotSendable,
    QuoteDraft,
    QuoteExpired,
    QuoteFixed,
    QuotePart,
    ValidityOver,
    accept_quote,
    decline_quote,
    expire_quotes,
    order_quote,
    revise_quote,
    send_quote,
    write_quote,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
UNTIL = make.TODAY + timedelta(days=14)


def offer(on: CreditAccount, *lines: LineDraft, until: date = UNTIL, **values: Any) -> QuoteDraft:
    return QuoteDraft(make.draft(on, *lines, **values), until)


def written(on: CreditAccount, *lines: LineDraft, **values: Any) -> Quote:
    return write_quote(draft=offer(on, *lines, **values), actor=None, now=make.NOW)


def sent(on: CreditAccount, *lines: LineDraft, **values: Any) -> Quote:
    quote = written(on, *lines, **values)
    return send_quote(quote_id=quote.pk, actor=None, now=make.NOW)


def ordered(quote: Quote, *parts: tuple[int, str | int], **values: Any) -> Order:
    lines = list(quote.lines.order_by("position"))
    asked = [QuotePart(lines[place].pk, Decimal(quantity)) for place, quantity in parts] or None
    values = {"actor": None, "now": make.NOW} | values
    made = order_quote(quote_id=quote.pk, parts=asked, **values)
    return Order.objects.get(pk=made.id)


def state(quote: Quote) -> str:
    return Quote.objects.get(pk=quote.pk).state


class TestWriting:
    def test_is_priced_as_an_order_would_be(self) -> None:
        part = make.priced("10")
        make.listed(part, "8", min_quantity=Decimal(10))

        quote = written(make.account(), make.line(part, 10), freight=Decimal(5))

        (line,) = quote.lines.all()
        assert (quote.state, quote.total, line.unit_price, line.ordered) == ("draft", 85, 8, 0)
        assert quote.number.startswith("QT-")

    def test_a_draft_is_written_anew_and_a_sent_one_is_not(self) -> None:
        part, on = make.priced("10"), make.account()
        quote = written(on, make.line(part, 2))

        again = write_quote(
            draft=offer(on, make.line(part, 3)), actor=None, now=make.NOW, quote_id=quote.pk
        )
        assert (again.pk, again.number, again.total) == (quote.pk, quote.number, 30)

        send_quote(quote_id=quote.pk, actor=None, now=make.NOW)
        with pytest.raises(QuoteFixed):
            write_quote(
                draft=offer(on, make.line(part, 4)), actor=None, now=make.NOW, quote_id=quote.pk
            )
        assert Quote.objects.get(pk=quote.pk).total == 30

    def test_the_same_key_is_the_same_quote(self) -> None:
        part, on = make.priced(), make.account()

        first, second = (written(on, make.line(part), client_key="k") for _ in range(2))

        assert first.pk == second.pk
        assert Quote.objects.count() == 1

    def test_today_is_the_shortest_validity(self) -> None:
        part, on = make.priced(), make.account()

        assert written(on, make.line(part), until=make.TODAY).valid_until == make.TODAY
        with pytest.raises(ValidityOver):
            written(on, make.line(part), until=make.TODAY - timedelta(days=1))

    def test_the_next_version_takes_the_place_of_the_one_before(self) -> None:
        part, on = make.priced("10"), make.account()
        first = sent(on, make.line(part, 2))

        second = revise_quote(
            quote_id=first.pk, draft=offer(on, make.line(part, 3)), actor=None, now=make.NOW
        )
        send_quote(quote_id=second.pk, actor=None, now=make.NOW)
        third = revise_quote(
            quote_id=second.pk, draft=offer(on, make.line(part, 4)), actor=None, now=make.NOW
        )

        numbers = [first.number, f"{first.number}-2", f"{first.number}-3"]
        assert [first.number, second.number, third.number] == numbers
        assert [state(each) for each in (first, second, third)] == [
            "superseded",
            "superseded",
            "draft",
        ]
        with pytest.raises(NotOrderable):
            ordered(first)


class TestAnswering:
    def test_each_answer_once_and_none_against_another(self) -> None:
        part, on = make.priced(), make.account()
        quote = sent(on, make.line(part))
        for _ in range(2):
            accept_quote(quote_id=quote.pk, actor=None, now=make.NOW)

        with pytest.raises(NotAnswerable):
            decline_quote(quote_id=quote.pk, reason="", actor=None, now=make.NOW)
        with pytest.raises(NotSendable):
            send_quote(quote_id=quote.pk, actor=None, now=make.NOW)

        other = sent(on, make.line(part))
        for _ in range(2):
            decline_quote(quote_id=other.pk, reason="Too dear", actor=None, now=make.NOW)
        with pytest.raises(NotAnswerable):
            accept_quote(quote_id=other.pk, actor=None, now=make.NOW)
        counted = [
            Message.objects.filter(name=f"orders.quote_{name}").count()
            for name in ("sent", "accepted", "declined")
        ]
        assert counted == [2, 1, 1]
        assert AuditEntry.objects.filter(action="orders.accept_quote").count() == 1

    def test_the_last_day_still_counts_and_the_next_does_not(self) -> None:
        quote = sent(make.account(), make.line(make.priced()), until=make.TODAY)

        assert expire_quotes(now=make.NOW) == []
        later = make.NOW + timedelta(days=1)
        with pytest.raises(NotAnswerable):
            accept_quote(quote_id=quote.pk, actor=None, now=later)
        with pytest.raises(QuoteExpired):
            ordered(quote, now=later)
        assert expire_quotes(now=later) == [quote.pk]
        assert expire_quotes(now=later) == []
        assert state(quote) == "expired"
        assert Message.objects.filter(name="orders.quote_expired").count() == 1


class TestOrdering:
    def test_takes_the_quote_s_prices_whatever_the_list_says_by_then(self) -> None:
        part, on = make.priced("10"), make.account()
        quote = sent(on, make.line(part, 5), freight=Decimal(3), customer_po="RFQ-1")
        make.listed(part, "99")

        order = ordered(quote, customer_po="PO-7")

        (line,) = make.lines_of(order)
        assert (line.unit_price, line.amount, order.total) == (10, 50, 53)
        assert line.price_source == f"quote {quote.number} line 1"
        assert (line.price_basis["kind"], line.quote_line_id) == ("quote", quote.lines.get().pk)
        assert (order.state, order.customer_po, state(quote)) == ("draft", "PO-7", "ordered")

    def test_part_by_part_until_it_is_used_up(self) -> None:
        part, on = make.priced("10"), make.account()
        quote = sent(on, make.line(part, 5), make.line(part, 2), freight=Decimal(3))

        first = ordered(quote, (0, 3))
        assert (state(quote), first.total) == ("accepted", 33)
        with pytest.raises(MoreThanAgreed):
            ordered(quote, (0, "2.001"))
        rest = ordered(quote)

        assert [line.quantity for line in make.lines_of(rest)] == [2, 2]
        assert (state(quote), rest.total) == ("ordered", 40)
        with pytest.raises(NotOrderable):
            ordered(quote)
        assert Order.objects.count() == 2

    def test_the_same_key_is_the_same_order(self) -> None:
        quote = sent(make.account(), make.line(make.priced(), 5))

        first, second = (ordered(quote, (0, 3), client_key="k") for _ in range(2))

        assert first.pk == second.pk
        assert quote.lines.get().ordered == 3

    def test_cancelling_gives_back_what_was_taken(self) -> None:
        quote = sent(make.account(), make.line(make.priced(), 5))
        order = ordered(quote)
        submit_order(order_id=order.pk, actor=None, now=make.NOW)

        cancel_order(order_id=order.pk, actor=None, reason="x", now=make.NOW)

        assert (state(quote), quote.lines.get().ordered) == ("accepted", 0)
        assert ordered(quote).state == "draft"

    def test_amending_takes_no_more_than_was_quoted_and_keeps_the_price(self) -> None:
        part = make.priced("10")
        quote = sent(make.account(), make.line(part, 5))
        make.listed(part, "12")
        order = ordered(quote, (0, 2))
        submit_order(order_id=order.pk, actor=None, now=make.NOW)

        def amend(quantity: int) -> None:
            wish = LineChange(make.lines_of(order)[0].pk, quantity=Decimal(quantity))
            amendment = Amendment(lines=[wish])
            amend_order(order_id=order.pk, amendment=amendment, actor=None, now=make.NOW)

        amend(4)
        with pytest.raises(MoreThanAgreed):
            amend(6)

        (line,) = make.lines_of(order)
        assert (line.quantity, line.unit_price, quote.lines.get().ordered) == (4, 10, 4)

    def test_a_draft_of_agreed_prices_is_not_priced_anew_as_a_whole(self) -> None:
        on = make.account()
        order = ordered(sent(on, make.line(make.priced("10"), 5)))

        with pytest.raises(NotADraft):
            amend_draft(
                order_id=order.pk,
                draft=make.draft(on, make.line(make.priced())),
                actor=None,
                now=make.NOW,
            )

    def test_refuses_a_line_of_another_quote_and_a_draft(self) -> None:
        part, on = make.priced(), make.account()
        quote, other = sent(on, make.line(part)), sent(on, make.line(part))
        foreign = QuotePart(other.lines.get().pk, Decimal(1))

        with pytest.raises(BadReference):
            order_quote(quote_id=quote.pk, parts=[foreign], actor=None, now=make.NOW)
        with pytest.raises(NotOrderable):
            ordered(written(on, make.line(part)))

    def test_the_database_itself_keeps_to_what_was_quoted(self) -> None:
        quote = sent(make.account(), make.line(make.priced(), 5))

        with pytest.raises(IntegrityError), transaction.atomic():
            QuoteLine.objects.filter(quote=quote).update(ordered=Decimal("5.001"))


@pytest.mark.django_db(transaction=True)
def test_two_who_order_the_same_rest_get_it_once() -> None:
    quote = sent(make.account(), make.line(make.priced(), 5))
    barrier, found = Barrier(3), []

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except DomainError as error:
            found.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[lambda: ordered(quote, (0, 3))]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [type(each) for each in found] == [MoreThanAgreed, MoreThanAgreed]
    assert Order.objects.count() == 1
    assert QuoteLine.objects.get().ordered == 3


def test_offers_keep_their_note() -> None:
    draft = replace(offer(make.account(), make.line(make.priced())), note="Subject to stock")

    assert write_quote(draft=draft, actor=None, now=make.NOW).note == "Subject to stock"
