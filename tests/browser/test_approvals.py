"""An approver's morning: the inbox by keyboard alone, and what arrives while it is open."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from erp.accounts.models import Entity, User
from erp.accounts.services import create_entity
from erp.governance.models import Approval
from erp.governance.services import ApprovalFacts, Effect, EffectKind
from erp.web.live import announce
from tests.browser.conftest import PHONE
from tests.erp.governance.factories import ask, matrix, person, row, stand_in

SignIn = Callable[[Page, User], None]
EFFECTS = [
    Effect(EffectKind.CHANGE, "120 HX-110 · Sterile drape", Decimal(492), "USD"),
    Effect(EffectKind.CHANGE, "40 HX-220 · Surgical gown L", Decimal("953.60"), "USD"),
    Effect(EffectKind.LOSER, "SO-10417 Northway Clinics waits 6 days", Decimal(4_200), "USD"),
    Effect(EffectKind.LOSER, "SO-10433 Halden Medical loses 40", Decimal(953), "USD"),
    Effect(EffectKind.MONEY, "Bound at Acme until 4 December 2026", Decimal("1445.60"), "USD"),
]


@pytest.fixture
def entity(transactional_db: None) -> Entity:
    return create_entity(
        code="NEUS", name="Crossdock Northeast", currency="USD", country="US",
        time_zone="America/New_York",
    )  # fmt: skip


@pytest.fixture
def boss(entity: Entity) -> User:
    matrix(
        row(1, "", permission="", hours=20, on_expiry="escalate", escalate_to="executive"),
        row(2, "executive", ["amount", ">", 50_000]),
    )
    return person("kim", entity, "operations_lead", "buyer")


def request(entity: Entity, number: int, amount: int, **values: object) -> Approval:
    return ask(
        entity,
        document_id=number,
        label=f"PO-{number} · Acme Surgical",
        amount=Decimal(amount),
        consequence="Acme Surgical is asked for 2 products by 4 December 2026.",
        facts=ApprovalFacts(effects=EFFECTS),
        now=timezone.now() - timedelta(minutes=number),
        **values,
    )


def state_of(approval: Approval) -> str:
    return str(Approval.objects.get(pk=approval.pk).state)


def test_an_approver_clears_the_inbox_by_keyboard(
    page: Page,
    sign_in: SignIn,
    entity: Entity,
    boss: User,
    assert_accessible: Callable[[Page], None],
) -> None:
    large, middle, small = (request(entity, n, a) for n, a in ((1, 9_000), (2, 500), (3, 20)))
    sign_in(page, boss)
    page.goto("/governance/approvals/")
    beside = page.locator("#beside")
    expect(beside).to_contain_text("PO-1")
    expect(beside).to_contain_text("SO-10417 Northway Clinics waits 6 days")
    expect(beside).to_contain_text("Who agrees")
    assert_accessible(page)

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(beside).to_contain_text("PO-3")
    page.keyboard.press("k")
    expect(beside).to_contain_text("PO-2")
    page.keyboard.press("r")
    page.locator("dialog[open] textarea").fill("Too dear: ask Beta first.")
    page.locator("dialog[open] button", has_text="Reject").press("Enter")
    expect(page.locator("#toasts, .toast").first).to_contain_text("rejected")
    expect(page.locator("#rows tr")).to_have_count(2)
    assert (state_of(large), state_of(middle), state_of(small)) == (
        "pending", "rejected", "pending",
    )  # fmt: skip
    assert Approval.objects.get(pk=middle.pk).decision_reason == "Too dear: ask Beta first."

    expect(beside).to_contain_text("PO-1")
    page.keyboard.press("a")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert state_of(large) == "approved"


def test_many_are_decided_at_once_each_with_its_answer(
    page: Page, sign_in: SignIn, entity: Entity, boss: User
) -> None:
    first, second = request(entity, 1, 900), request(entity, 2, 800)
    sign_in(page, boss)
    page.goto("/governance/approvals/")
    page.locator("#rows tr").nth(1).wait_for()

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    page.locator("#bulk button", has_text="Approve").click()

    expect(page.locator("h1")).to_contain_text("2 of 2 decided")
    assert (state_of(first), state_of(second)) == ("approved", "approved")


def test_a_request_arrives_while_the_inbox_is_open(
    page: Page, sign_in: SignIn, entity: Entity, boss: User
) -> None:
    request(entity, 1, 900)
    sign_in(page, boss)
    page.goto("/governance/approvals/")
    expect(page.locator("[data-live=on]")).to_be_visible()
    expect(page.locator("#rows tr")).to_have_count(1)

    late = request(entity, 2, 90_000)
    announce("approvals", late.entity_id, str(late.pk))

    expect(page.locator("#rows tr").first).to_contain_text("PO-2")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_in_both_themes_and_on_a_phone(  # noqa: PLR0917  fixtures
    open_context: Callable[..., BrowserContext],
    sign_in: SignIn,
    entity: Entity,
    boss: User,
    assert_accessible: Callable[[Page], None],
    theme: str,
) -> None:
    chief = person("eve", entity, "executive")
    request(entity, 1, 90_000)
    request(entity, 2, 700, requested_by=boss)
    stand_in(boss, chief, entity, now=timezone.now())
    stand_in(chief, boss, entity, now=timezone.now(), role="executive")
    for viewport in ({"width": 1440, "height": 900}, PHONE):
        page = open_context(theme=theme, viewport=viewport).new_page()
        sign_in(page, boss)
        for address in ("", "?view=mine", "?view=stuck", "standing-in/"):
            page.goto(f"/governance/approvals/{address}")
            assert_accessible(page)
