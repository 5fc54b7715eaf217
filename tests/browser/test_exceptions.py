"""The morning of a planner: the queue by keyboard alone, and what arrives while it is open."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from erp.accounts.models import Entity, User
from erp.web.live import announce
from exceptions.models import ExceptionCase
from exceptions.services import assign, fire_due_timers, refresh
from finance.services import open_books
from inventory.models import ProductCost, Shipment, ShipmentLine
from orders.models import OrderLine
from tests.exceptions import factories

SignIn = Callable[[Page, User], None]


@pytest.fixture
def planner(transactional_db: None) -> User:
    factories.policies()
    return factories.person("lee", "planner", "credit")


def shortage(quantity: int, **values: object) -> ExceptionCase:
    item = factories.product()
    factories.offer(item, lead_time_days=4)
    now = timezone.now()
    return factories.shortage_case(now=now, quantity=quantity, item=item, **values)


def state_of(case: ExceptionCase) -> str:
    return str(ExceptionCase.objects.get(pk=case.pk).state)


def test_a_planner_clears_the_queue_by_keyboard(
    page: Page, sign_in: SignIn, planner: User, assert_accessible: Callable[[Page], None]
) -> None:
    first, second = shortage(600), shortage(60)
    hold = factories.hold_case(now=timezone.now(), total=50)
    sign_in(page, planner)
    page.goto("/exceptions/")
    beside = page.locator("#beside")
    expect(beside).to_contain_text(first.subject_label)
    assert_accessible(page)

    page.keyboard.press("a")
    expect(beside).to_contain_text("acknowledged")
    page.keyboard.press("1")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Enter")
    expect(beside).to_contain_text("Backordered")
    expect(page.locator("#rows tr")).to_have_count(2)
    assert state_of(first) == "resolved"

    page.locator("#rows tr", has_text=second.subject_label).wait_for()
    page.keyboard.press("j")
    expect(beside).to_contain_text(second.subject_label)
    page.keyboard.press("j")
    expect(beside).to_contain_text(hold.subject_label)
    page.keyboard.press("1")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert state_of(hold) == "resolved"

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exceptions/{second.pk}/")
    expect(page.locator("main")).to_contain_text("Why this severity")
    assert_accessible(page)


def test_a_case_arrives_while_the_queue_is_open(page: Page, sign_in: SignIn, planner: User) -> None:
    shortage(60)
    sign_in(page, planner)
    page.goto("/exceptions/")
    expect(page.locator("[data-live=on]")).to_be_visible()
    expect(page.locator("#rows tr")).to_have_count(1)

    late = shortage(600)
    announce("exceptions", late.entity_id, str(late.pk))

    expect(page.locator("#rows tr").first).to_contain_text(late.subject_label)
    expect(page.locator("#lead")).to_contain_text("2 open")


def test_the_control_tower_opens_its_rows(
    page: Page, sign_in: SignIn, planner: User, assert_accessible: Callable[[Page], None]
) -> None:
    case = shortage(600)
    sign_in(page, planner)
    page.goto("/insight/tower/")
    expect(page.locator("main")).to_contain_text("Open exceptions")
    assert_accessible(page)

    page.get_by_role("link", name="Open exceptions").click()

    expect(page.locator("#rows")).to_contain_text(case.subject_label)
    assert_accessible(page)
    page.locator("#rows a").first.click()
    page.wait_for_url(f"**/exceptions/{case.pk}/")


def found_short(entity: Entity) -> ExceptionCase:
    """Goods that a picker did not find; they stand in inspection until somebody looks."""
    open_books(entity_id=entity.pk, now=timezone.now())
    made = factories.order("fulfilling")
    item = factories.product()
    line = OrderLine.objects.create(
        order=made, position=1, product=item, uom="EA", uom_quantity=5, quantity=5, unit_price=10,
        amount=50, reserved=3,
    )  # fmt: skip
    shelf = factories.stock(item, 3)
    factories.stock(item, 2, status="inspection")
    ProductCost.objects.create(entity=entity, product=item, quantity=5, value=40)
    shipment = Shipment.objects.create(
        entity=entity, node=shelf.node, source_kind="orders.order", source_id=made.pk,
        source_number=made.number, planned_date=factories.TODAY, created_at=factories.NOW,
    )  # fmt: skip
    short = ShipmentLine.objects.create(
        shipment=shipment, demand_kind="orders.line", demand_id=line.pk, product=item, stock=shelf,
        quantity=5, picked=3, short_reason="not_found",
    )  # fmt: skip
    refresh(type="inventory.short_pick", subject_ids=[short.pk], now=timezone.now())
    return ExceptionCase.objects.get(type="inventory.short_pick")


def run_first(page: Page, case: ExceptionCase, way: str) -> None:
    """Go down to a case with the keyboard and run the way out of that name with its digit."""
    beside = page.locator("#beside")
    for _ in range(6):
        if case.subject_label in beside.inner_text():
            break
        page.keyboard.press("j")
        page.wait_for_timeout(400)
    expect(beside).to_contain_text(case.subject_label)
    digit = beside.locator(".play", has_text=way).locator("kbd").first.inner_text()
    page.keyboard.press(digit)
    asked = page.locator("dialog[open]")
    if asked.count():
        page.keyboard.press("Enter")
    expect(page.locator("#rows")).not_to_contain_text(case.subject_label)
    assert state_of(case) == "resolved"


def test_the_day_of_an_operations_person(page: Page, sign_in: SignIn, planner: User) -> None:
    entity = Entity.objects.get(code="US01")
    dana = factories.person("dana", "operations_lead", "credit", "planner")
    theirs = factories.person("pat", "buyer")
    short = shortage(600)
    hold = factories.hold_case(now=timezone.now(), total=50)
    missing = found_short(entity)
    sign_in(page, dana)
    page.goto("/exceptions/")
    expect(page.locator("[data-live=on]")).to_be_visible()
    expect(page.locator("#rows tr")).to_have_count(3)

    run_first(page, short, "Backorder")
    run_first(page, hold, "Release")
    run_first(page, missing, "back on the shelf")
    expect(page.locator("#rows")).to_contain_text("Nothing is open here")

    quiet = shortage(60)
    assign(case_id=quiet.pk, to=None, actor=theirs, now=timezone.now())
    fired = fire_due_timers(now=quiet.acknowledge_by + timedelta(minutes=1))
    assert [one.case_id for one in fired][-1] == quiet.pk
    announce("exceptions", quiet.entity_id, str(quiet.pk))

    expect(page.locator("#rows tr").first).to_contain_text("escalated")
    expect(page.locator("#bell")).to_have_attribute("aria-label", re.compile(r"\d+ unread"))
    page.locator("#bell").click()
    page.wait_for_url("**/exceptions/notices/")
    expect(page.locator("main")).to_contain_text(quiet.subject_label)
