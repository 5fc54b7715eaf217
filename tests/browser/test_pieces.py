"""Serial numbers in a browser: a scanner that types, on a phone, without a mouse."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from inventory.models import Correction, Product, Shipment, Transfer
from inventory.selectors import serials
from tests.browser.conftest import PHONE
from tests.browser.test_floor import OpenContext, SignIn
from tests.finance import factories
from tests.finance.factories import World, allocated, drift, product, shipments_of
from tests.finance.purchases import sent_order
from tests.finance.test_serial_views import numbered, on_its_way
from tests.finance.transfers import approved, second_node


@pytest.fixture
def world() -> World:
    return factories.world()


@pytest.fixture
def lead(world: World) -> User:
    user = User.objects.create_user("lead", first_name="Ada", last_name="Floor")
    for role in (Role.OPERATIONS_LEAD, Role.WAREHOUSE):
        assign_role(user=user, entity=world.entity, role=role)
    return user


@pytest.fixture
def phone(open_context: OpenContext, sign_in: SignIn, lead: User) -> Page:
    page = open_context(viewport=PHONE, has_touch=True).new_page()
    sign_in(page, lead)
    return page


def scan_field(page: Page) -> Locator:
    return page.locator("[data-scan-field]")


def scan(page: Page, *codes: str) -> None:
    """Type codes as a scanner does, wherever the cursor is."""
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")


def said(page: Page, text: str) -> None:
    expect(page.locator("[data-scan-said]")).to_have_text(text)


def states(world: World) -> dict[str, str]:
    return {each.number: each.state for each in serials(entity_ids=[world.entity.pk])}


def test_pieces_are_scanned_from_the_dock_to_the_customer(world: World, phone: Page) -> None:
    drill, plain = numbered(world), product(world)

    take_in_three(phone, world, drill)
    shipment = pick_two(phone, world, drill, plain)
    phone.get_by_role("button", name="Packed").click()
    phone.get_by_role("button", name="Ship", exact=True).click()
    phone.get_by_role("button", name="It left").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("shipped")
    phone.get_by_role("link", name="S-1", exact=True).click()

    expect(phone.get_by_role("heading", level=1)).to_contain_text("S-1")
    expect(phone.get_by_text(shipment.number).first).to_be_visible()
    assert states(world) == {"S-1": "shipped", "S-2": "available", "S-3": "shipped"}
    assert drift() == {}


def take_in_three(phone: Page, world: World, drill: Product) -> None:
    """Receive three pieces of a product by scanning; doubles and one too many are said."""
    incoming = sent_order(world, (drill, "3", "2.50"))
    phone.goto(reverse("finance:receive", args=[incoming.number]))
    expect(scan_field(phone)).to_be_focused()
    scan(phone, drill.code, "S-1", "S-2", "S-2")
    said(phone, "S-2 was scanned before")
    scan(phone, incoming.number)
    said(phone, "1 lines are not scanned yet")
    scan(phone, "S-3", "S-4")
    said(phone, "S-4 is one too many: all are named")
    expect(scan_field(phone)).to_be_focused()
    expect(phone.get_by_label("Serial numbers")).to_have_value("S-1\nS-2\nS-3\n")
    scan(phone, incoming.number)
    expect(phone.get_by_text("was posted: what came is in stock.")).to_be_visible()


def pick_two(phone: Page, world: World, drill: Product, plain: Product) -> Shipment:
    """Pick two of its pieces by scanning, after a reload and one refusal."""
    order = allocated(world, (drill, "2", "9.99"), (plain, "1", "5"))
    shipment = Shipment.objects.get(pk=shipments_of(order)[0])
    phone.goto(reverse("finance:pick", args=[shipment.number]))
    expect(scan_field(phone)).to_be_focused()
    scan(phone, plain.code, drill.code)
    said(phone, f"{drill.code}: take 2. Scan its pieces: 0 of 2")
    scan(phone, "S-3")
    said(phone, "S-3: 1 of 2")
    phone.reload()  # what was typed is kept
    box = phone.get_by_label("Serial numbers", exact=True)
    expect(box).to_have_value("S-3\n")
    expect(scan_field(phone)).to_be_focused()
    scan(phone, plain.code, drill.code, "S-9")
    said(phone, "S-9 does not lie there")
    box.fill("S-3\nS-9\n")  # by hand; the server has the last word
    scan_field(phone).focus()
    scan(phone, shipment.number)
    refused = phone.locator(".field .error").first
    expect(refused).to_contain_text("serial number 'S-9' is not known")
    expect(box).to_have_value("S-3\nS-9\n")
    assert Shipment.objects.get(pk=shipment.pk).state == "planned"
    box.press("End")
    box.fill("S-3\n")
    box.press("End")
    scan(phone, "S-3")
    expect(box).to_have_value("S-3\n")
    said(phone, "S-3 was scanned before")
    scan(phone, "S-1")
    expect(box).to_be_focused()
    expect(box).to_have_value("S-3\nS-1\n")
    phone.get_by_role("button", name="Confirm pick").press("Enter")

    expect(phone.get_by_role("heading", level=1)).to_contain_text("picked")
    return shipment


def test_pieces_of_a_transfer_are_scanned_where_they_leave_and_where_they_come(
    world: World, phone: Page
) -> None:
    drill = numbered(world, "A", "B", "C", "D")
    number = approved(world, (drill, "3"), to=second_node(world)).number

    phone.goto(reverse("finance:pick_transfer", args=[number]))
    expect(scan_field(phone)).to_be_focused()
    scan(phone, "A", "B", "C", number)  # one line alone: its product need not be scanned
    expect(phone.get_by_role("heading", level=1)).to_contain_text("picked")
    phone.get_by_role("button", name="Send").click()
    phone.get_by_role("button", name="It left").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("in transit")
    phone.get_by_role("link", name="Receive").click()
    expect(scan_field(phone)).to_be_focused()
    scan(phone, "D")
    said(phone, "D was not sent. What came over is named at its own field")
    scan(phone, "B", "A")
    phone.locator("[name^=damaged_]").fill("1")
    phone.get_by_label("Serial numbers: damaged").focus()
    scan(phone, "C")
    phone.get_by_role("button", name="Take in").press("Enter")

    expect(phone.get_by_role("heading", level=1)).to_contain_text("closed")
    assert Transfer.objects.get().state == "closed"
    assert states(world) == {"A": "available", "B": "available", "C": "damaged", "D": "available"}
    assert drift() == {}


def test_a_damaged_piece_did_not_come_whole(world: World, phone: Page) -> None:
    drill = numbered(world, "A", "B", "C")
    transfer = on_its_way(world, drill, "A", "B", "C")

    phone.goto(reverse("finance:receive_transfer", args=[transfer.number]))
    expect(scan_field(phone)).to_be_focused()
    scan(phone, "A")
    expect(phone.get_by_label("Serial numbers: damaged")).to_be_hidden()
    phone.locator("[name^=damaged_]").fill("1")
    phone.get_by_label("Serial numbers: damaged").focus()
    scan(phone, "A")
    said(phone, "A was scanned before")
    scan(phone, "B", "C")

    expect(phone.locator("[name^=damaged_]")).to_have_value("2")
    expect(phone.locator("[name^=received_]")).to_have_value("1")
    phone.get_by_role("button", name="Take in").press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("closed")
    assert states(world) == {"A": "available", "B": "damaged", "C": "damaged"}


def test_what_is_written_off_is_scanned(
    world: World, phone: Page, assert_accessible: Callable[[Page], None]
) -> None:
    drill: Product = numbered(world, "A", "B", "C")

    phone.goto(reverse("finance:ask_correction"))
    phone.get_by_label("Node").select_option(f"{world.entity.pk}.{world.node.pk}")
    products = phone.get_by_label("Products and quantities")
    products.focus()
    phone.keyboard.type(f"{drill.code} -2")
    phone.keyboard.press("Tab")
    expect(phone.get_by_label("Scan the pieces")).to_be_visible()
    phone.get_by_label("Scan the pieces").focus()
    scan(phone, "C", "C")
    said(phone, "C was scanned before")
    scan(phone, "A")
    said(phone, "A: 2 of 2")
    assert_accessible(phone)
    phone.reload()
    expect(phone.get_by_label("Serial numbers")).to_have_value("C\nA\n")
    phone.get_by_label("Why").fill("Fell off a shelf")
    phone.get_by_role("button", name="Ask").press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("AD-")
    assert Correction.objects.get().lines.get().serials == ["C", "A"]
