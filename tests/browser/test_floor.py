"""The floor and money in a browser: a phone and a scanner at the shelf, a desk for the cash."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.kernel.sql import rows
from finance.models import Invoice, Payment
from orders.models import Order
from tests.browser.conftest import DESKTOP, PHONE
from tests.finance import factories
from tests.finance.factories import World, allocated, invoiced, packed, product, shipments_of
from tests.finance.purchases import sent_order

SignIn = Callable[[Page, User], None]
OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def world() -> World:
    return factories.world()


@pytest.fixture
def lead(world: World) -> User:
    """Somebody who may do everything on the floor, and receive cash."""
    user = User.objects.create_user("lead", first_name="Ada", last_name="Floor")
    for role in (Role.OPERATIONS_LEAD, Role.AR, Role.CONTROLLER):
        assign_role(user=user, entity=world.entity, role=role)
    return user


def number_of(shipment_id: int) -> str:
    return str(rows("SELECT number FROM inventory_shipment WHERE id = %s", [shipment_id])[0][0])


def test_a_picker_scans_packs_and_ships(
    open_context: OpenContext, sign_in: SignIn, world: World, lead: User
) -> None:
    one, two = product(world), product(world)
    order = allocated(world, (one, "4", "9.99"), (two, "2", "5"))
    number = number_of(shipments_of(order)[0])
    page = open_context(viewport=PHONE, has_touch=True).new_page()
    sign_in(page, lead)

    page.goto(reverse("finance:picking"))
    page.get_by_role("link", name="Pick", exact=True).click()
    scan = page.get_by_label("Scan a bin, a product, or this shipment to confirm")
    scan.fill("NOTHING")
    scan.press("Enter")
    expect(page.get_by_text("NOTHING is not on this shipment")).to_be_visible()
    for goods, take in ((one, "4"), (two, "2")):
        scan.fill(goods.code.lower())
        scan.press("Enter")
        expect(page.get_by_text(f"{goods.code}: take {take}")).to_be_visible()
    scan.fill(number)
    scan.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("picked")
    page.get_by_label("Carton weights (kg)").fill("1.5 2.5")
    page.get_by_role("button", name="Packed").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("packed")
    page.get_by_role("button", name="Ship", exact=True).click()
    page.get_by_role("button", name="It left").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("shipped")
    assert Order.objects.get(pk=order.pk).state in {"shipped", "invoiced"}


def test_less_on_the_shelf_needs_a_reason(
    open_context: OpenContext, sign_in: SignIn, world: World, lead: User
) -> None:
    goods = product(world, on_hand="4")
    number = number_of(shipments_of(allocated(world, (goods, "4", "9.99")))[0])
    page = open_context(viewport=PHONE).new_page()
    sign_in(page, lead)

    page.goto(reverse("finance:pick", args=[number]))
    expect(page.get_by_label("Why less")).to_be_hidden()
    page.get_by_role("button", name="One less").click()
    page.get_by_role("button", name="Confirm pick").click()
    expect(page.get_by_text("Say why less was found.").first).to_be_visible()
    page.get_by_label("Why less").select_option("damaged")
    page.get_by_role("button", name="Confirm pick").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("picked")
    found = rows("SELECT picked, short_reason FROM inventory_shipmentline")
    assert found == [(3, "damaged")]


def test_the_dock_takes_in_a_part(
    open_context: OpenContext, sign_in: SignIn, world: World, lead: User
) -> None:
    order = sent_order(world, (product(world, on_hand="0"), "10", "2.50"))
    page = open_context(viewport=PHONE).new_page()
    sign_in(page, lead)

    page.goto(reverse("finance:receiving"))
    page.get_by_role("link", name="Receive", exact=True).click()
    page.get_by_label("Came").fill("4")
    page.get_by_role("button", name="Take in").click()

    expect(page.get_by_text("was posted: what came is in stock.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(order.number)
    assert rows("SELECT received FROM procurement_purchaseorderline") == [(4,)]


def test_cash_is_posted_on_the_invoice_one_came_from(
    page: Page, sign_in: SignIn, world: World, lead: User
) -> None:
    _, numbers = invoiced(world, (product(world), "4", "10"))
    sign_in(page, lead)

    page.goto(reverse("finance:invoice", args=numbers))
    page.get_by_role("link", name="Post a payment").click()
    expect(page.get_by_label(f"Pay {numbers[0]}")).to_be_visible()
    page.get_by_role("textbox", name="Reference", exact=True).fill("BANK-77")
    page.get_by_role("button", name="Post", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("applied")
    assert Payment.objects.get().reference == "BANK-77"
    assert Invoice.objects.get().state == "paid"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_pages_are_accessible(  # noqa: PLR0917
    open_context: OpenContext,
    sign_in: SignIn,
    assert_accessible: Callable[[Page], None],
    world: World,
    lead: User,
    viewport: dict[str, int],
) -> None:
    goods = product(world)
    to_pick = number_of(shipments_of(allocated(world, (goods, "4", "9.99")))[0])
    ready = number_of(packed(world, (goods, "4", "9.99"))[1][0])
    _, numbers = invoiced(world, (goods, "4", "9.99"), freight="3")
    coming = sent_order(world, (goods, "10", "2.50")).number
    page = open_context(viewport=viewport).new_page()
    sign_in(page, lead)

    for path in (
        reverse("finance:shipments"),
        reverse("finance:shipment", args=[ready]),
        reverse("finance:pick", args=[to_pick]),
        reverse("finance:receiving"),
        reverse("finance:receive", args=[coming]),
        reverse("finance:invoices"),
        reverse("finance:invoice", args=numbers),
        reverse("finance:payments"),
        reverse("finance:ledger"),
        reverse("finance:entries"),
        reverse("finance:periods"),
    ):
        page.goto(path)
        assert_accessible(page)
