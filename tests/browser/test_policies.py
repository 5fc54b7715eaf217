"""A policy from a draft into force: edited in the form, complained about, mended, agreed to."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.models import PolicyVersion
from erp.governance.services import ensure_builtin_policies
from tests.conftest import NOW, grant

SignIn = Callable[[Page, User], None]
AT = "/governance/policies/orders.release.completeness/"


def person(name: str, *held: str) -> User:
    entity = Entity.objects.get_or_create(
        code="US01", defaults={"name": "Crossdock Inc.", "currency": "USD", "country": "US"}
    )[0]
    user = User.objects.create_user(name)
    for permission in (permissions.VIEW_POLICY, *held):
        grant(user, permission, entity)
    return user


@pytest.fixture
def author(transactional_db: None) -> User:
    ensure_builtin_policies(now=NOW)
    return person("author", permissions.WRITE_POLICY)


def newest() -> PolicyVersion:
    return PolicyVersion.objects.filter(policy__code="orders.release.completeness").latest("number")


def test_a_row_is_edited_mended_submitted_and_put_into_force_by_another(
    page: Page, sign_in: SignIn, author: User, assert_accessible: Callable[[Page], None]
) -> None:
    sign_in(page, author)
    page.goto(AT)
    assert_accessible(page)
    page.get_by_role("button", name="New draft").click()
    page.get_by_role("button", name="Write").click()
    expect(page.locator("#table-form")).to_be_visible()
    assert_accessible(page)
    count = page.locator("tr[data-row]").count()

    # Moved to the top, the row without conditions answers everything: the others are unreachable.
    for left in range(count - 1, 0, -1):
        page.get_by_role("button", name=f"Row {left + 1}: move up").press("Alt+ArrowUp")
        expect(page.locator(f"[name=r{left - 1}n]")).to_have_value("0")
    lint = page.locator("#lint")
    expect(lint).to_contain_text("Row 1 already answers every such case")
    page.get_by_role("button", name="Save and submit").click()
    expect(page.locator("#refusals")).to_contain_text("already answers")
    assert newest().state == "draft"

    # Deleted there and added at the end again, it is the last resort.
    page.get_by_role("button", name="Row 1: delete").click()
    expect(page.locator("tr[data-row]")).to_have_count(count - 1)
    expect(lint).to_contain_text("No row answers every other case")
    page.get_by_role("button", name=f"Row {count - 1}: add a row below").click()
    expect(page.locator("tr[data-row]")).to_have_count(count)
    expect(lint).not_to_contain_text("No row answers")
    page.get_by_label("Note").fill("Mended")
    page.get_by_role("button", name="Save and submit").click()
    page.wait_for_url(re.compile(r"version="))
    assert (newest().state, newest().note) == ("reviewed", "Mended")

    boss = person("boss", permissions.ACTIVATE_POLICY)
    page.context.clear_cookies()
    sign_in(page, boss)
    page.goto(f"{AT}?version={newest().number}")
    page.get_by_role("button", name="Put into force").first.click()
    page.locator("dialog[open]").get_by_role("button", name="Put into force").click()
    expect(page.locator("body")).to_contain_text("decides from now on")
    assert newest().activated_by == boss
