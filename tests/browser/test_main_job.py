"""The main job as people do it: an order from entry to cash, and a shortage to its resolution."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from erp.accounts.models import Role, User
from erp.insight.selectors import verify_all
from erp.kernel.sql import rows
from tests.browser.company import SmallCompany, found_small_company

SignIn = Callable[[Page, User], None]


@pytest.fixture
def company(transactional_db: None) -> SmallCompany:
    return found_small_company()


@pytest.fixture
def desk(open_context, sign_in: SignIn, company: SmallCompany) -> Callable[[Role], Page]:
    """Open the browser of one desk: `desk(Role.WAREHOUSE)`."""

    def sit_down(role: Role, **options: object) -> Page:
        page = open_context(**options).new_page()
        sign_in(page, company.people[role])
        return page

    return sit_down


def enter_order(page: Page, *lines: tuple[str, str], one_node: bool = False) -> str:
    """Type an order as a clerk does, by keyboard; return its number."""
    page.goto("/orders/new/")
    page.locator("#id_customer").press_sequentially("hald", delay=20)
    page.get_by_role("option", name=re.compile("Halden Medical")).wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("#id_customer")).to_have_value("HALDEN")
    if one_node:
        page.locator("#id_no_split").check()
    for place, (code, quantity) in enumerate(lines):
        product = page.locator("#lines input[name=product]").nth(place)
        product.press_sequentially(code.lower(), delay=20)
        page.get_by_role("option", name=re.compile(code)).wait_for()
        page.keyboard.press("Enter")
        expect(product).to_have_value(code)
        page.keyboard.type(quantity)
        page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/orders/SO-\d+/"))
    return page.url.rstrip("/").rpartition("/")[2]


def press_primary(page: Page, *, dialog: bool) -> None:
    """Press the one filled button of this person; confirm where a dialog asks."""
    page.locator(".head button.primary, .head a.primary").first.click()
    if dialog:
        page.locator("dialog[open] button.primary, dialog[open] button.danger").first.click()


def state_of(number: str) -> str:
    return rows("SELECT state FROM orders_order WHERE number = %s", [number])[0][0]


def wait_state(page: Page, number: str, state: str) -> None:
    for _ in range(50):
        if state_of(number) == state:
            return
        page.wait_for_timeout(100)
    assert state_of(number) == state


def test_an_order_goes_from_entry_to_cash(
    desk: Callable[..., Page], assert_accessible: Callable[[Page], None]
) -> None:
    clerk = desk(Role.ORDER_DESK)
    number = enter_order(clerk, ("HX-110", "40"), ("KT-014", "10"))
    wait_state(clerk, number, "allocated")
    clerk.reload()
    expect(clerk.locator("h1")).to_contain_text(number)
    expect(clerk.locator("h1")).to_contain_text("allocated")
    assert_accessible(clerk)
    shipment = rows("SELECT number FROM inventory_shipment")[0][0]

    picker = desk(Role.WAREHOUSE, viewport={"width": 390, "height": 844})
    picker.goto(f"/finance/shipments/{shipment}/pick/")
    assert_accessible(picker)
    picker.get_by_role("button", name="Confirm pick").click()
    picker.wait_for_url(re.compile(rf"/finance/shipments/{shipment}/$"))
    picker.get_by_role("button", name="Packed").click()
    expect(picker.locator("h1")).to_contain_text("packed")

    shipper = desk(Role.SHIPPING)
    shipper.goto(f"/finance/shipments/{shipment}/")
    press_primary(shipper, dialog=True)
    expect(shipper.locator("h1")).to_contain_text("shipped")
    wait_state(shipper, number, "invoiced")

    accounts = desk(Role.AR)
    accounts.goto("/finance/invoices/")
    accounts.get_by_role("link", name=re.compile("INV-")).first.click()
    expect(accounts.locator("main")).to_contain_text("$479.00")  # 40 x 4.10 + 10 x 31.50
    assert_accessible(accounts)
    accounts.goto("/finance/payments/")
    accounts.locator("#id_customer").fill("HALDEN")
    accounts.locator("#id_amount").fill("479.00")
    accounts.locator("#id_reference").fill("wire 77")
    accounts.get_by_role("button", name="Post", exact=True).click()
    accounts.wait_for_url(re.compile("/finance/payments/PAY-"))
    wait_state(accounts, number, "closed")

    clerk.goto(f"/orders/{number}/")
    expect(clerk.locator("h1")).to_contain_text("closed")
    timeline = clerk.locator(".timeline")
    for told in ("ship", "invoice"):
        expect(timeline).to_contain_text(re.compile(told, re.IGNORECASE))
    assert [f for f in verify_all() if f.violations] == []


def test_a_shortage_is_resolved_from_its_case(
    desk: Callable[..., Page], assert_accessible: Callable[[Page], None]
) -> None:
    """One node cannot serve both lines; the case offers the other node, and one key runs it."""
    clerk = desk(Role.ORDER_DESK)
    number = enter_order(clerk, ("HX-110", "150"), ("HX-220", "100"), one_node=True)
    wait_state(clerk, number, "partly_allocated")
    assert rows("SELECT waiting FROM orders_orderline ORDER BY position") == [(0,), (80,)]

    planner = desk(Role.PLANNER)
    planner.goto("/exceptions/")
    row = planner.locator("tr", has_text=number).first
    expect(row).to_contain_text("Shortage")
    expect(row).to_contain_text("$")  # the money is on the row
    assert_accessible(planner)
    row.locator("td.case").click()
    expect(planner.locator("main")).to_contain_text("Ways out")
    best = planner.locator(".play").first
    expect(best).to_contain_text("DC-WEST")
    expect(best).to_contain_text("Nobody loses")
    planner.keyboard.press("1")
    wait_state(planner, number, "allocated")

    cases = rows("SELECT type, state FROM exceptions_exceptioncase")
    assert cases == [("orders.shortage", "resolved")]
    assert rows("SELECT key FROM exceptions_playrun") == [("other_node",)]
    assert len(rows("SELECT 1 FROM inventory_shipment WHERE state = 'planned'")) == 2
    assert [f for f in verify_all() if f.violations] == []


def test_a_case_that_the_world_mends_closes_by_itself(
    desk: Callable[..., Page], company: SmallCompany
) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415
    from decimal import Decimal  # noqa: PLC0415

    from finance.services import adjust_stock  # noqa: PLC0415
    from inventory.services import StockAdjustment  # noqa: PLC0415

    clerk = desk(Role.ORDER_DESK)
    number = enter_order(clerk, ("HX-220", "400"))
    wait_state(clerk, number, "partly_allocated")
    key = rows(
        "SELECT entity_id, node_id, product_id FROM inventory_stock s"
        " JOIN inventory_product p ON p.id = s.product_id WHERE p.code = 'HX-220' LIMIT 1"
    )[0]
    adjust_stock(
        adjustments=[
            StockAdjustment(
                entity_id=key[0], node_id=key[1], product_id=key[2], quantity=Decimal(500),
                unit_value=Decimal(10), reason="found",
            )
        ],
        kind="adjustment", actor=None, now=datetime.now(UTC),
    )  # fmt: skip

    planner = desk(Role.PLANNER)
    planner.goto("/orders/allocation/")
    planner.get_by_role("button", name=re.compile("Allocate", re.IGNORECASE)).first.click()
    wait_state(planner, number, "allocated")

    for _ in range(50):
        states = rows("SELECT DISTINCT state FROM exceptions_exceptioncase")
        if states == [("resolved",)]:
            break
        planner.wait_for_timeout(100)
    assert states == [("resolved",)]
