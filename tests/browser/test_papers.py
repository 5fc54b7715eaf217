"""Quotes to orders, orders amended in place, blanket orders called off: as people do it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from erp.accounts.models import Role, User
from orders.models import Blanket, Customer, Order, Quote
from tests.browser.company import SmallCompany, found_small_company
from tests.orders import factories as make


@pytest.fixture
def company(db: None) -> SmallCompany:
    return found_small_company()


@pytest.fixture
def desk(company: SmallCompany, page: Page, sign_in: Callable[[Page, User], None]) -> Page:
    """A page on which the order desk is signed in."""
    sign_in(page, company.people[Role.ORDER_DESK])
    return page


def fill_row(page: Page, product: str, quantity: str) -> None:
    row = page.locator("#lines tr").first
    row.locator("[name=product]").fill(product)
    row.locator("[name=quantity]").fill(quantity)


class TestQuotes:
    def test_a_quote_is_sent_and_a_part_of_it_ordered(self, desk: Page) -> None:
        desk.goto("/orders/quotes/new/?customer=HALDEN")
        fill_row(desk, "HX-110", "12")
        desk.get_by_role("button", name="Send", exact=True).click()
        desk.wait_for_url("**/orders/quotes/QT-*/")

        desk.get_by_label("Take of line 1").fill("5")
        desk.get_by_label("Their order number").fill("PO-31")
        desk.get_by_role("button", name="Order it").click()
        desk.wait_for_url("**/orders/SO-*/")

        order, quote = Order.objects.get(), Quote.objects.get()
        assert (order.customer_po, make.lines_of(order)[0].quantity) == ("PO-31", 5)
        assert quote.lines.get().ordered == 5
        expect(desk.get_by_role("link", name=quote.number)).to_be_visible()


class TestAmending:
    def test_a_quantity_is_changed_on_the_order_s_page(self, desk: Page) -> None:
        account = Customer.objects.get().accounts.get()
        part = make.Product.objects.get(code="HX-110")
        order = make.allocated(account, make.line(part, 3))
        desk.goto(f"/orders/{order.number}/")

        desk.keyboard.press("e")
        desk.get_by_label("Quantity of line 1").fill("7")
        desk.locator("#amend-reason").fill("They called")
        desk.get_by_role("button", name="Save the changes").click()

        desk.wait_for_url(f"**/orders/{order.number}/")
        expect(desk.get_by_text("They called · revision 1")).to_be_visible()
        line = make.lines_of(order)[0]
        assert (line.quantity, line.reserved, Order.objects.get().revision) == (7, 7, 1)

    def test_what_is_refused_keeps_what_was_typed(self, desk: Page) -> None:
        account = Customer.objects.get().accounts.get()
        part = make.Product.objects.get(code="HX-110")
        order = make.allocated(account, make.line(part, 3))
        desk.goto(f"/orders/{order.number}/?amend=1")

        desk.get_by_label("Quantity of line 1").fill("0")
        desk.get_by_role("button", name="Save the changes").click()

        expect(desk.locator("#refusals")).to_contain_text("Nothing would be left")
        expect(desk.get_by_label("Quantity of line 1")).to_have_value("0")
        assert make.lines_of(order)[0].quantity == 3


class TestBlanketOrders:
    def test_written_activated_and_called_off(
        self, desk: Page, assert_accessible: Callable[[Page], None]
    ) -> None:
        until = (timezone.now() + timedelta(days=20)).date().isoformat()
        desk.goto("/orders/blankets/new/?customer=HALDEN")
        desk.get_by_label("Through").fill(until)
        fill_row(desk, "KT-014", "100")
        assert_accessible(desk)
        desk.get_by_role("button", name="Activate").click()
        desk.wait_for_url("**/orders/blankets/BO-*/")
        assert_accessible(desk)

        desk.get_by_label("Take of line 1").fill("30")
        desk.get_by_role("button", name="Call off").click()
        desk.wait_for_url("**/orders/SO-*/")

        assert Blanket.objects.get().lines.get().called == 30
        assert Order.objects.get().channel == "blanket"
