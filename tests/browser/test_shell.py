"""The frame of every page, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.web.live import announce
from tests.browser.conftest import DESKTOP, PHONE

SignIn = Callable[[Page, User], None]
OpenContext = Callable[..., BrowserContext]
PASSWORD = "boss-pass-1"  # noqa: S105


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password=PASSWORD, first_name="Dana")


@pytest.fixture
def companies() -> list[Entity]:
    return [
        Entity.objects.create(code="US", name="Northeast US", currency="USD", country="US"),
        Entity.objects.create(code="DE", name="Deutschland", currency="EUR", country="DE"),
    ]


@pytest.mark.parametrize(
    ("theme", "viewport"),
    [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_the_shell_is_accessible(  # noqa: PLR0917
    open_context: OpenContext,
    sign_in: SignIn,
    assert_accessible: Callable[[Page], None],
    boss: User,
    companies: list[Entity],
    theme: str,
    viewport: dict[str, int],
) -> None:
    page = open_context(theme=theme, viewport=viewport).new_page()

    page.goto("/login/")
    assert_accessible(page)
    sign_in(page, boss)
    for path in ("/", "/styleguide/", "/profile/", "/nothing-here/"):
        page.goto(path)
        assert_accessible(page)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_on_the_left_is_accessible(
    open_context: OpenContext,
    sign_in: SignIn,
    assert_accessible: Callable[[Page], None],
    boss: User,
    viewport: dict[str, int],
) -> None:
    page = open_context(viewport=viewport).new_page()
    sign_in(page, boss)
    page.goto("/")
    addresses = [a.get_attribute("href") for a in page.locator("#nav a").all()]

    for address in addresses:
        answer = page.goto(address)
        assert answer.status == 200, address
        expect(page.locator("#nav [aria-current=page]")).to_have_attribute("href", address)
        assert_accessible(page)


def test_a_person_signs_in_and_out(page: Page, boss: User) -> None:
    page.goto("/profile/")
    page.get_by_label("User name").fill("boss")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()

    page.locator("summary[aria-label='You and settings']").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_palette_finds_pages_by_keyboard(page: Page, sign_in: SignIn, boss: User) -> None:
    sign_in(page, boss)
    page.goto("/profile/")

    page.keyboard.press("Control+k")
    page.keyboard.type("my d")
    expect(page.locator("#palette-results [aria-selected=true]")).to_contain_text("My day")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="My day")).to_be_visible()


def test_the_table_is_walked_by_keyboard(page: Page, sign_in: SignIn, boss: User) -> None:
    sign_in(page, boss)
    page.goto("/styleguide/")
    rows = page.locator("table[data-nav] tbody tr")

    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("x")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-bulk]")).to_contain_text("1 selected")
    page.keyboard.press("Enter")

    assert page.url.endswith("#2")


def test_the_keys_are_listed_and_press_their_buttons(
    page: Page, sign_in: SignIn, boss: User
) -> None:
    sign_in(page, boss)
    page.goto("/styleguide/")

    page.keyboard.press("?")
    expect(page.locator("[data-page-keys]")).to_contain_text("Release")
    page.keyboard.press("Escape")
    page.keyboard.press("a")

    expect(page.get_by_role("dialog", name="Release this order?")).to_be_visible()


def test_the_theme_is_kept(page: Page, sign_in: SignIn, boss: User) -> None:
    sign_in(page, boss)
    page.goto("/")

    page.locator("summary[aria-label='You and settings']").click()
    page.get_by_role("button", name="Theme: dark").click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_entity_in_view_is_chosen(
    page: Page, sign_in: SignIn, boss: User, companies: list[Entity]
) -> None:
    sign_in(page, boss)
    page.goto("/profile/")

    page.locator("summary[aria-label^='Entity']").click()
    page.get_by_role("button", name="Deutschland EUR").click()

    expect(page.locator("summary[aria-label='Entity: Deutschland']")).to_be_visible()
    assert page.url.endswith("/profile/")


def test_a_form_keeps_what_was_typed(page: Page, sign_in: SignIn, boss: User) -> None:
    sign_in(page, boss)
    page.goto("/styleguide/")
    form = page.locator("form[data-draft=styleguide]")

    form.get_by_label("Customer").fill("Halden Medical")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(form.get_by_label("Customer")).to_have_value("Halden Medical")
    expect(page.locator(".toast")).to_contain_text("put back")


def test_columns_are_chosen_and_kept(page: Page, sign_in: SignIn, boss: User) -> None:
    sign_in(page, boss)
    page.goto("/styleguide/")

    page.locator("[data-columns-for=styleguide] summary").click()
    page.get_by_label("Price").uncheck()
    page.reload()

    expect(page.locator("th[data-col=price]")).to_be_hidden()
    expect(page.locator("th[data-col=qty]")).to_be_visible()


def test_the_phone_has_a_drawer(open_context: OpenContext, sign_in: SignIn, boss: User) -> None:
    page = open_context(viewport=PHONE).new_page()
    sign_in(page, boss)
    page.goto("/profile/")
    drawer = page.get_by_role("navigation", name="Main")
    expect(drawer).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")

    expect(drawer).to_be_hidden()


def test_a_page_hears_only_of_its_own_entities(
    page: Page, sign_in: SignIn, companies: list[Entity]
) -> None:
    clerk = User.objects.create_user("clerk")
    RoleAssignment.objects.create(user=clerk, entity=companies[0], role=Role.ORDER_DESK)
    sign_in(page, clerk)
    page.goto("/profile/")
    expect(page.locator(".live")).to_have_text("live")
    page.evaluate(
        """() => {
            window.heard = [];
            document.body.addEventListener(
                'live:orders', (event) => window.heard.push(...event.detail.refs));
        }"""
    )

    heard: list[dict[str, object]] = []
    for _ in range(100):
        announce("orders", companies[1].pk, "theirs")
        announce("orders", companies[0].pk, "ours")
        page.wait_for_timeout(100)
        if heard := page.evaluate("window.heard"):
            break
    assert {said["ref"] for said in heard} == {"ours"}
