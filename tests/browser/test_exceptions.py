"""The morning of a planner: the queue by keyboard alone, and what arrives while it is open."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from erp.accounts.models import User
from erp.web.live import announce
from exceptions.models import ExceptionCase
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
