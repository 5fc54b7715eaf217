"""erp/insight/views.py"""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp.accounts.models import RoleAssignment, User
from exceptions.services import refresh
from tests.finance import factories
from tests.finance.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, where: World) -> Client:
    user = User.objects.create_user("eve")
    RoleAssignment.objects.create(user=user, entity=where.entity, role="executive")
    client.force_login(user)
    return client


@pytest.fixture
def busy(where: World) -> World:
    """A company with a held order, a short one, and one on its way."""
    now = timezone.now()
    factories.allocated(where, (factories.product(where, on_hand="3"), "9", "700"), now=now)
    factories.allocated(where, (factories.product(where), "4", "25"), now=now)
    refresh(type="orders.shortage", now=now)
    return where


class TestTowerPage:
    def test_shows_every_figure_as_a_way_to_its_rows(self, page: Client, busy: World) -> None:
        shown = page.get(reverse("insight:tower")).content.decode()

        for label in (
            "OTIF vs first promise", "Line fill rate", "Order cycle time", "Open exceptions",
            "Backlog past promise", "Tied to holds", "Shipped today", "Approvals waiting",
        ):  # fmt: skip
            assert label in shown
        assert "<svg" in shown
        assert "style=" not in shown
        links = set(re.findall(r'href="(/[^"]*/rows/[^"]*)"', shown))
        assert len(links) > 20
        for href in links:
            assert page.get(href.replace("&amp;", "&")).status_code == 200

    def test_opens_exactly_the_orders_of_a_stage(self, page: Client, busy: World) -> None:
        shown = page.get(
            reverse("insight:rows", args=["orders_by_stage"]), {"bucket": "waiting"}
        ).content.decode()

        assert shown.count('class="ref"') == 1
        assert "partly allocated" in shown

    def test_is_for_people_of_the_company(self, client: Client, busy: World) -> None:
        client.force_login(User.objects.create_user("stranger"))

        assert client.get(reverse("insight:tower")).status_code == 403

    def test_knows_only_its_own_figures(self, page: Client, where: World) -> None:
        assert page.get(reverse("insight:rows", args=["nonsense"])).status_code == 404
        bad = {"from": "yesterday", "to": "2026-99-99", "after": "xx", "bucket": "'; --"}
        assert page.get(reverse("insight:rows", args=["otif"]), bad).status_code == 200
