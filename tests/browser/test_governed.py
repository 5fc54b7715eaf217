"""What people do to let orders go on: holds by keyboard, matches looked at, prices agreed to."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from erp.accounts.models import Role, User
from erp.governance.models import ChangeRequest
from erp.governance.services import ensure_builtin_policies
from orders.models import Hold, Order, PartyMatch, Price
from orders.rules.listing import ListEntry
from orders.services import submit_order
from orders.services.complying import PartyListRow, save_compliance
from tests.orders import compliance as law
from tests.orders import factories as make

SignIn = Callable[[Page, User], None]
Accessible = Callable[[Page], None]


@pytest.fixture
def policies(transactional_db: None) -> None:
    ensure_builtin_policies(now=timezone.now())


def submitted(price: str, limit: str, name: str = "Halden Medical") -> Order:
    """Submit an order now, as somebody else than who looks at it."""
    on = make.account(make.customer(name=name), limit=limit)
    order = make.created(on, make.line(make.priced(price)))
    submit_order(order_id=order.pk, actor=None, now=timezone.now())
    return Order.objects.get(pk=order.pk)


@pytest.mark.usefixtures("policies")
def test_holds_are_released_with_the_keyboard_alone(
    page: Page, sign_in: SignIn, assert_accessible: Accessible
) -> None:
    small, large = submitted("150", "100"), submitted("900", "100")
    sign_in(page, make.person("mira", Role.CREDIT))
    page.goto("/orders/holds/")
    assert_accessible(page)
    expect(page.locator("#rows tr").first).to_contain_text(large.number)

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1")
    page.keyboard.press("r")
    page.keyboard.type("They have paid this morning")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts")).to_contain_text("1 hold was lifted.")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text(large.number)
    lifted = Hold.objects.get(order=small)
    assert (lifted.state, lifted.lift_reason) == ("lifted", "They have paid this morning")
    assert Hold.objects.get(order=large).state == "active"


@pytest.mark.usefixtures("policies")
def test_a_hold_is_taken_by_who_works_on_it(page: Page, sign_in: SignIn) -> None:
    order = submitted("150", "100")
    who = make.person("mira", Role.CREDIT, first_name="Mira", last_name="Okafor")
    sign_in(page, who)
    page.goto("/orders/holds/")

    page.get_by_label(f"Select {order.number}").check()
    page.get_by_role("button", name="Assign to me").click()

    expect(page.locator("#rows")).to_contain_text("Mira Okafor")
    assert Hold.objects.get().assigned_to == who


@pytest.mark.usefixtures("policies")
def test_a_match_is_rejected_and_the_order_goes_on(
    page: Page, sign_in: SignIn, assert_accessible: Accessible
) -> None:
    order = submitted("10", "1000", name="Zarya Marine")
    row = PartyListRow(code="SDN", name="SDN", entries=[ListEntry("E1", "Zarya Marine")])
    save_compliance(row=row, actor=None, now=timezone.now())
    while law.screen_parties(now=timezone.now()) is not None:
        pass
    assert Order.objects.get(pk=order.pk).state == "held"
    sign_in(page, make.person("boss", Role.CONTROLLER))
    page.goto("/orders/compliance/matches/")
    assert_accessible(page)

    page.get_by_role("button", name="Reject").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("Another company of that name")
    dialog.get_by_role("button", name="Reject").click()

    expect(page.locator("#toasts")).not_to_be_empty()
    assert PartyMatch.objects.get().state == "rejected"
    went_on = Order.objects.get(pk=order.pk).state
    assert went_on in {"released", "backordered"}  # allocation follows at once


@pytest.mark.usefixtures("policies")
def test_a_price_waits_until_somebody_else_agrees(
    page: Page, sign_in: SignIn, deliver_all: Callable[[], int]
) -> None:
    part = make.priced("10", code="HX-1")
    found = Price.objects.get(product=part)
    sign_in(page, make.person("asks", Role.PRICING))
    page.goto(f"/orders/prices/new/?of={found.pk}")
    page.get_by_label("Price of a base unit").fill("14")
    page.get_by_label("From", exact=True).fill(date.today().isoformat())  # noqa: DTZ011
    page.locator("main form button.primary").last.click()
    expect(page.locator("body")).to_contain_text("Waiting for agreement")
    change = ChangeRequest.objects.get()
    assert Price.objects.filter(product=part, unit_price=Decimal(14)).count() == 0

    page.context.clear_cookies()
    boss = make.person("boss", Role.CONTROLLER)
    sign_in(page, boss)
    page.goto("/governance/approvals/")
    page.get_by_role("button", name="Approve").first.click()
    expect(page.locator("#toasts")).not_to_be_empty()
    deliver_all()
    assert ChangeRequest.objects.get(pk=change.pk).state == "applied"
    assert Price.objects.filter(product=part, unit_price=Decimal(14)).exists()
