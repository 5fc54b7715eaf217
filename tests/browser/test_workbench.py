"""The planner's workbench in a browser: stock dragged from one order to another."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from erp.accounts.models import User
from orders.models import Order, Reallocation
from tests.orders import factories as make
from tests.orders.services.reallocating.worlds import held, ordered

SignIn = Callable[[Page, User], None]


def of_order(page: Page, order: Order) -> object:
    return page.locator("#claims tbody tr").filter(has_text=order.number)


def test_stock_is_dragged_to_the_order_that_should_have_it(
    page: Page, sign_in: SignIn, assert_accessible: Callable[[Page], None]
) -> None:
    part = make.priced("10", code="PEN")
    make.stocked(part, 9)
    first, second, late = ordered(part, 4, "C"), ordered(part, 5, "C"), ordered(part, 6, "A")
    sign_in(page, make.person("p", "planner"))
    page.goto("/orders/workbench/?product=PEN")
    assert_accessible(page)

    of_order(page, first).locator(".grip").drag_to(of_order(page, late))

    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Take stock for {late.number}")
    assert_accessible(page)
    expect(page.get_by_role("checkbox", name=first.number)).to_be_checked()
    expect(page.get_by_role("checkbox", name=second.number)).not_to_be_checked()
    expect(page.get_by_label("Quantity")).to_have_value("4")
    losers = page.locator("table").first
    expect(losers).to_contain_text(first.number)
    expect(losers).not_to_contain_text(second.number)
    assert not Reallocation.objects.exists()  # nothing is asked for by dragging

    page.get_by_label("Reason").fill("A line is down there")
    page.get_by_role("button", name="Ask for approval").click()

    expect(page.get_by_text("waits for approval").first).to_be_visible()
    asked = Reallocation.objects.get()
    assert (asked.quantity, asked.taken_from) == (4, [make.lines_of(first)[0].pk])
    assert (held(first), held(second), held(late)) == (4, 5, 0)


def test_stock_is_dropped_only_where_something_waits(page: Page, sign_in: SignIn) -> None:
    part = make.priced("10", code="PEN")
    make.stocked(part, 9)
    first, second, late = ordered(part, 4, "C"), ordered(part, 5, "C"), ordered(part, 6, "A")
    sign_in(page, make.person("p", "planner"))
    page.goto("/orders/workbench/?product=PEN")
    before = page.url

    of_order(page, first).locator(".grip").drag_to(of_order(page, second))

    expect(of_order(page, late).locator(".grip")).to_have_count(0)  # it holds nothing to give
    assert page.url == before
    assert not Reallocation.objects.exists()
