"""inventory/views/_substitutes.py"""

import pytest
from django.test import Client

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry
from inventory import permissions
from inventory.models import Substitute
from tests.conftest import grant
from tests.inventory.factories import product

pytestmark = pytest.mark.django_db
URL = "/inventory/substitutes/"
TYPED = {
    "product": "pen", "other": "QUILL", "units": "2", "per": "3", "rank": "1", "consent": "ask",
    "price_rule": "lower", "valid_from": "2026-11-01", "valid_until": "", "reason": "Same ink",
}  # fmt: skip


@pytest.fixture
def pages(clerk: User, entity: Entity, client: Client) -> Client:
    grant(clerk, permissions.VIEW_PRODUCT, entity)
    grant(clerk, permissions.CHANGE_PRODUCT, entity)
    client.force_login(clerk)
    product("PEN"), product("QUILL")
    return client


def test_a_pair_is_kept_shown_changed_and_taken_out(pages: Client) -> None:
    assert pages.post(URL, TYPED).status_code == 302
    shown = pages.get(f"{URL}?product=pen").text
    assert "QUILL" in shown
    assert "2 : 3" in shown

    pages.post(URL, TYPED | {"rank": "4", "consent": "always"})
    kept = Substitute.objects.get()
    assert (kept.rank, kept.consent, kept.per, kept.reason) == (4, "always", 3, "Same ink")

    pages.post(f"{URL}{kept.pk}/drop/")
    assert not Substitute.objects.exists()
    acts = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(acts) == ["inventory.pair", "inventory.pair", "inventory.unpair"]
    assert "No pairs here" in pages.get(URL).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"other": "NOPE"}, "There is no such product."),
        ({"other": "PEN"}, "It is the product itself."),
        ({"valid_until": "2026-10-01"}, "It ends before it begins."),
        ({"per": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(
    pages: Client, change: dict[str, str], said: str
) -> None:
    answer = pages.post(URL, TYPED | change)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Same ink"' in answer.text
    assert not Substitute.objects.exists()


def test_who_may_only_look_changes_nothing(clerk: User, entity: Entity, client: Client) -> None:
    grant(clerk, permissions.VIEW_PRODUCT, entity)
    client.force_login(clerk)
    product("PEN"), product("QUILL")

    assert "Add or change" not in client.get(URL).text
    assert client.post(URL, TYPED).status_code == 404
    assert client.post(f"{URL}1/drop/").status_code == 403
    assert not Substitute.objects.exists()


def test_they_come_page_by_page(pages: Client) -> None:
    pen = product("PEN-1")
    others = [product(f"Q-{n}") for n in range(101)]
    Substitute.objects.bulk_create(Substitute(product=pen, other=each) for each in others)

    first = pages.get(URL).text
    last = Substitute.objects.order_by("id")[99]

    assert f"after={last.pk}" in first
    assert pages.get(f"{URL}?after={last.pk}").text.count("Q-100") > 0
    assert pages.get(f"{URL}?after=x").status_code == 200
