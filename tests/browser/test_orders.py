"""Order entry as somebody types it, and the pages of orders as people see them."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from erp.accounts.models import Role, User
from inventory.models import Product
from orders.models import Customer, CustomerProduct, Order, ShipTo
from tests.browser.company import SmallCompany, found_small_company
from tests.browser.conftest import PHONE
from tests.orders import factories as make


@pytest.fixture
def company(db: None) -> SmallCompany:
    return found_small_company()


@pytest.fixture
def desk(company: SmallCompany, page: Page, sign_in: Callable[[Page, User], None]) -> Page:
    """A page on which the order desk is signed in."""
    sign_in(page, company.people[Role.ORDER_DESK])
    return page


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer(); data.setData('text', text);
            const how = {clipboardData: data, bubbles: true, cancelable: true};
            document.activeElement.dispatchEvent(new ClipboardEvent('paste', how));
        }""",
        text,
    )


def rows_of(page: Page) -> list[tuple[str, str]]:
    products = page.locator("#lines [name=product]").evaluate_all(
        "found => found.map(e => e.value)"
    )
    counts = page.locator("#lines [name=quantity]").evaluate_all("found => found.map(e => e.value)")
    return [pair for pair in zip(products, counts, strict=True) if any(pair)]


class TestEntry:
    def test_is_written_by_keyboard_alone(self, desk: Page) -> None:
        desk.goto("/orders/new/")
        desk.get_by_label("Customer code").press_sequentially("hal")
        expect(desk.locator("#entry-head [data-value]").first).to_be_visible()
        desk.keyboard.press("Enter")
        desk.keyboard.type("suture")
        expect(desk.locator("#lines [data-value]").first).to_contain_text("KT-014")
        desk.keyboard.press("ArrowDown")
        desk.keyboard.press("Enter")
        desk.keyboard.type("12")
        desk.keyboard.press("Enter")
        desk.keyboard.type("HX-110")
        desk.keyboard.press("Enter")
        desk.keyboard.type("3")
        desk.keyboard.press("Control+Enter")
        desk.wait_for_url("**/orders/SO-*/")

        order = Order.objects.get()
        lines = [(line.product.code, int(line.quantity)) for line in make.lines_of(order)]
        assert lines == [("KT-014", 12), ("HX-110", 3)]
        assert order.released_at

    def test_takes_rows_pasted_from_a_spreadsheet(self, desk: Page) -> None:
        desk.goto("/orders/new/")
        desk.locator("#lines [name=product]").first.focus()

        paste(desk, "HX-110\t5\nHX-220\t2\n" + "KT-014\t1\n" * 8)

        assert len(rows_of(desk)) == 10
        expect(desk.locator("#lines .what").first).to_contain_text("free")

    def test_shows_live_figures_beside_each_row(self, desk: Page) -> None:
        part = Product.objects.get(code="HX-110")
        mine = Customer.objects.get()
        owner = mine.accounts.get().entity
        for least, price in (("0", "4.00"), ("12", "3.60")):
            make.listed(part, price, entity=owner, customer_id=mine.pk, min_quantity=Decimal(least))
        CustomerProduct.objects.create(customer=mine, product=part, code="H-77")
        ShipTo.objects.create(customer=mine, code="DOCK", name="Back door", city="Boston")
        desk.goto("/orders/new/?customer=HALDEN")
        first = desk.locator("#lines tr").first

        first.locator("[name=product]").fill("H-77")
        first.locator("[name=quantity]").fill("10")

        expect(first.locator(".what")).to_contain_text("$4.00 contract")
        expect(first.locator(".what")).to_contain_text("2 more: $3.60")
        expect(first.locator(".what")).to_contain_text("200 EA free · from DC-NORTH")
        expect(first.locator(".amount")).to_have_text("$40.00")
        expect(desk.locator("#summary")).to_contain_text("30 days to pay")
        expect(desk.locator("#summary")).to_contain_text("$99,960.00 left")
        assert desk.locator("#ship-tos option").evaluate_all("all => all.map(o => o.value)") == [
            "DOCK"
        ]

        first.locator("[name=quantity]").fill("300")
        expect(first.locator(".what")).to_contain_text("$3.60 contract")
        expect(first.locator(".what")).to_contain_text("100 not in stock")
        first.locator("[name=product]").fill("NOPE")
        expect(first.locator(".what")).to_have_text("There is no such product.")
        expect(first.locator(".amount")).to_have_text("")

    def test_loses_nothing_when_something_is_wrong_or_the_page_is_left(self, desk: Page) -> None:
        desk.goto("/orders/new/")
        desk.get_by_label("Their order number").fill("PO-77")
        desk.locator("#lines [name=product]").first.focus()
        paste(desk, "HX-110\t5\n" * 9 + "NOPE\t2\n")
        desk.reload()
        expect(desk.get_by_label("Their order number")).to_have_value("PO-77")
        assert rows_of(desk) == [("HX-110", "5")] * 9 + [("NOPE", "2")]

        desk.get_by_label("Customer code").fill("HALDEN")
        desk.get_by_role("button", name="Save draft").click()

        expect(desk.locator("#lines .error")).to_contain_text("There is no such product.")
        expect(desk.get_by_label("Their order number")).to_have_value("PO-77")
        assert len(rows_of(desk)) == 10
        assert not Order.objects.exists()


class TestLooks:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_every_page_can_be_read_by_everybody(
        self,
        company: SmallCompany,
        open_context: Callable[..., BrowserContext],
        sign_in: Callable[[Page, User], None],
        assert_accessible: Callable[[Page], None],
        theme: str,
    ) -> None:
        customer = Customer.objects.get()
        account = customer.accounts.get()
        part = Product.objects.get(code="HX-110")
        order = make.allocated(account, make.line(part, 999), customer_po="PO-7")
        make.created(account, make.line(part, 1))
        wide, phone = open_context(theme), open_context(theme, viewport=PHONE)
        for context in (wide, phone):
            page = context.new_page()
            sign_in(page, company.people[Role.OPERATIONS_LEAD])
            for path in (
                "/orders/",
                f"/orders/{order.number}/",
                "/orders/new/",
                "/orders/allocation/",
                "/orders/customers/",
                f"/orders/customers/{customer.code}/",
            ):
                page.goto(path)
                assert_accessible(page)
