"""Transfers and counts in a browser: a phone at the dock and at the shelf."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from finance.services import adjust_stock
from inventory.models import Count, Product, Serial, Stock, Transfer
from inventory.services import StockAdjustment
from inventory.services.correcting import (
    CorrectionDraft,
    CorrectionLineDraft,
    request_correction,
)
from tests.browser.conftest import DESKTOP, PHONE
from tests.finance import factories
from tests.finance.factories import World, product
from tests.finance.transfers import approved, on_hand, second_node, sent

SignIn = Callable[[Page, User], None]
OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def world() -> World:
    return factories.world()


@pytest.fixture
def lead(world: World) -> User:
    user = User.objects.create_user("lead", first_name="Ada", last_name="Floor")
    for role in (Role.OPERATIONS_LEAD, Role.PLANNER):
        assign_role(user=user, entity=world.entity, role=role)
    return user


def test_goods_go_from_one_node_to_another_and_some_are_lost(
    open_context: OpenContext, sign_in: SignIn, world: World, lead: User
) -> None:
    goods, there = product(world, on_hand="10"), second_node(world)
    page = open_context(viewport=PHONE, has_touch=True).new_page()
    sign_in(page, lead)

    page.goto(reverse("finance:ask_transfer"))
    page.get_by_label("From").select_option(f"{world.entity.pk}.{world.node.pk}")
    page.get_by_label("To", exact=True).select_option(f"{world.entity.pk}.{there.pk}")
    page.get_by_label("Products and quantities").fill(f"{goods.code} 6")
    page.get_by_label("Why").fill("Runs out there")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("approved")
    page.get_by_role("link", name="Pick").click()
    page.get_by_role("button", name="Confirm pick").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("picked")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="It left").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("in transit")
    page.get_by_role("link", name="Receive").click()
    page.get_by_label("Came").fill("5")
    page.get_by_label("Nothing more comes").check()
    page.get_by_role("button", name="Take in").click()
    expect(page.get_by_text("Less came than left.")).to_be_visible()
    page.get_by_role("link", name="Settle").click()
    page.get_by_label("Lost").fill("1")
    page.get_by_label("What happened").fill("The carton was torn")
    page.get_by_role("button", name="Settle").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("closed")
    assert Transfer.objects.get().state == "closed"
    assert (on_hand(goods, there), on_hand(goods, there, "in_transit")) == (5, 0)


def test_a_counter_scans_and_is_told_nothing(
    open_context: OpenContext, sign_in: SignIn, world: World, lead: User
) -> None:
    one, two = product(world, on_hand="137"), product(world, on_hand="8")
    page = open_context(viewport=PHONE, has_touch=True).new_page()
    sign_in(page, lead)

    page.goto(reverse("finance:counts"))
    page.get_by_role("button", name="Make a sheet").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Count")
    scan = page.get_by_label("Scan a bin, a product")
    scan.fill("NOTHING")
    scan.press("Enter")
    expect(page.get_by_text("NOTHING is not on this sheet")).to_be_visible()
    for goods, found in ((two, "8"), (one, "136")):
        scan.fill(goods.code.lower())
        scan.press("Enter")
        box = page.get_by_role("region", name=goods.code).get_by_label("Counted")
        expect(box).to_be_focused()
        box.fill(found)
        box.press("Enter")
    expect(page.get_by_text("All lines are counted.")).to_be_visible()
    assert "137" not in page.content()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("approved")
    page.get_by_role("button", name="Post").click()
    page.get_by_role("button", name="Post it").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("posted")
    assert Count.objects.get().state == "posted"
    assert Stock.objects.get(product=one).on_hand == 136


def test_pieces_are_counted_by_scanning_their_numbers(
    open_context: OpenContext,
    sign_in: SignIn,
    assert_accessible: Callable[[Page], None],
    world: World,
    lead: User,
) -> None:
    drill, pen = product(world, on_hand="0"), product(world, on_hand="8")
    Product.objects.filter(pk=drill.pk).update(tracking="serial")
    opening = StockAdjustment(
        entity_id=world.entity.pk,
        node_id=world.node.pk,
        product_id=drill.pk,
        quantity=Decimal(3),
        reason="Opening",
        serials=["SN-1", "SN-2", "SN-3"],
    )
    adjust_stock(adjustments=[opening], kind="opening", actor=None, now=factories.NOW)
    page = open_context(viewport=PHONE, has_touch=True).new_page()
    sign_in(page, lead)
    page.goto(reverse("finance:counts"))
    page.get_by_role("button", name="Make a sheet").click()
    scan = page.get_by_label("Scan a bin, a product")
    numbers = page.get_by_label("Serial numbers")

    for code in (drill.code, "SN-3", "SN-9", "SN-9"):
        scan.fill(code)
        scan.press("Enter")
        expect(scan).to_be_focused()
    expect(page.get_by_text("SN-9 is scanned already")).to_be_visible()
    numbers.press("End")  # a scanner that types where the cursor is
    for code in ("SN-3", "SN-1"):
        numbers.press_sequentially(f"{code}\n")
        expect(numbers).to_be_focused()
    expect(page.get_by_text("SN-1: 3 scanned")).to_be_visible()
    expect(numbers).to_have_value("SN-3\nSN-9\nSN-1\n")
    line = page.get_by_role("region", name=drill.code)
    expect(line.get_by_label("Counted")).to_have_value("3")
    expect(line.get_by_label("Counted")).not_to_be_editable()
    expect(line.get_by_role("button", name="None")).to_be_hidden()
    assert "SN-2" not in page.content()  # nobody says what is expected
    assert_accessible(page)
    scan.fill(pen.code)
    scan.press("Enter")
    page.get_by_role("region", name=pen.code).get_by_label("Counted").fill("8")
    page.get_by_role("button", name="Hand in").click()
    head = page.get_by_role("heading", level=1)
    expect(head).to_contain_text("approved")
    expect(page.get_by_text("\N{MINUS SIGN}SN-2")).to_be_visible()
    expect(page.get_by_text("+SN-9")).to_be_visible()
    page.get_by_role("button", name="Post").click()
    page.get_by_role("button", name="Post it").click()

    expect(head).to_contain_text("posted")
    lying = Serial.objects.filter(stock__isnull=False).order_by("number")
    assert [row.number for row in lying] == ["SN-1", "SN-3", "SN-9"]
    assert Stock.objects.get(product=drill).on_hand == 3


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_pages_are_accessible(  # noqa: PLR0917
    open_context: OpenContext,
    sign_in: SignIn,
    assert_accessible: Callable[[Page], None],
    world: World,
    lead: User,
    viewport: dict[str, int],
) -> None:
    there = second_node(world)
    to_pick = approved(world, (product(world), "2"), to=there).number
    coming = sent(world, (product(world), "2"), to=there).number
    page = open_context(viewport=viewport).new_page()
    sign_in(page, lead)
    page.goto(reverse("finance:counts"))
    page.get_by_label("Node").select_option(f"{world.entity.pk}.{world.node.pk}")
    page.get_by_role("button", name="Make a sheet").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CC-")
    count = Count.objects.get().number

    draft = CorrectionDraft(
        entity_id=world.entity.pk,
        node_id=world.node.pk,
        reason="Water on the floor",
        lines=[
            CorrectionLineDraft(
                product_id=product(world).pk, quantity=Decimal(900), to_status="quarantine"
            )
        ],
    )
    aside = request_correction(draft=draft, actor=None, now=factories.NOW).number

    for path in (
        reverse("finance:corrections"),
        reverse("finance:ask_correction"),
        reverse("finance:correction", args=[aside]),
        reverse("inventory:lots"),
        reverse("inventory:stock"),
        reverse("finance:transfers"),
        reverse("finance:ask_transfer"),
        reverse("finance:transfer_suggestions"),
        reverse("finance:transfer", args=[coming]),
        reverse("finance:pick_transfer", args=[to_pick]),
        reverse("finance:receive_transfer", args=[coming]),
        reverse("finance:counts"),
        reverse("finance:count", args=[count]),
        reverse("finance:count_sheet", args=[count]),
        reverse("inventory:health"),
    ):
        page.goto(path)
        assert_accessible(page)
