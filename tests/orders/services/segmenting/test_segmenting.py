"""orders/services/segmenting and _segmenting.py: protected stock seen from orders."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Product, Protection, Segment
from inventory.services import BadMasterData
from inventory.services.protecting import (
    ProtectionDraft,
    SegmentDraft,
    save_protection,
    save_segment,
)
from orders.models import CustomerGroup, Order, SegmentMember
from orders.selectors import segment_of, segments_of
from orders.services import allocate_orders
from orders.services.promising._promising import promise_rest
from orders.services.segmenting import assign_segment
from tests.conftest import grant
from tests.orders import factories as make
from tests.orders.services.test_submitting_together import at_once

TODAY = make.NOW.date()


def segment(code: str, rank: int = 1, **values: object) -> int:
    draft = SegmentDraft(code=code, name=code.title(), rank=rank, **values)
    return save_segment(draft=draft, actor=None, now=make.NOW)


def kept(part: Product, code: str, floor: int = 0, cap: Decimal | None = None) -> None:
    draft = ProtectionDraft(
        entity_id=make.company().pk, product=part.code, segment=code, floor=Decimal(floor),
        cap=cap, first_day=TODAY, last_day=TODAY + timedelta(days=30),
    )  # fmt: skip
    save_protection(draft=draft, actor=None, now=make.NOW)


def assigned(kind: str, code: str, to: str) -> None:
    assign_segment(kind=kind, code=code, segment=to, actor=None, now=make.NOW)


def reserved(order: Order) -> int:
    return int(sum(line.reserved for line in make.lines_of(order)))


@pytest.mark.django_db
class TestOrders:
    def test_an_order_gets_what_is_kept_for_its_customer_and_others_do_not(self) -> None:
        gold = make.account(make.customer("GOLD"))
        part = make.priced()
        make.stocked(part, 10)
        segment("top")
        assigned("customer", "GOLD", "top")
        kept(part, "top", 8)

        usual = make.allocated(make.account(), make.line(part, 5))
        best = make.allocated(gold, make.line(part, 9))

        assert (reserved(usual), reserved(best)) == (2, 8)
        assert usual.state == "partly_allocated"

    def test_the_check_does_not_promise_what_is_kept_for_others(self) -> None:
        part = make.priced()
        make.stocked(part, 10)
        segment("top")
        assigned("channel", "edi", "top")
        kept(part, "top", 10)

        order = make.submitted(make.account(), make.line(part, 5))

        assert Order.objects.get(pk=order.pk).promised_date is None
        assert reserved(make.allocated(make.account(), make.line(part, 1))) == 0

    def test_what_is_missing_is_promised_by_what_is_left_to_its_segment(self) -> None:
        gold = make.account(make.customer("GOLD"))
        part = make.priced()
        make.stocked(part, 10)
        segment("top")
        assigned("customer", "GOLD", "top")
        kept(part, "top", 10)

        usual = make.submitted(make.account(), make.line(part, 5))
        best = make.submitted(gold, make.line(part, 5))

        codes = {
            order.pk: segment_of(
                customer_id=order.customer_id, channel=order.channel, entity_id=order.entity_id
            )
            for order in (usual, best)
        }
        assert codes == {usual.pk: 0, best.pk: Segment.objects.get().pk}
        assert (
            promise_rest(order_id=usual.pk, entity_id=usual.entity_id, cause="test", now=make.NOW)
            == 0
        )
        assert (
            promise_rest(order_id=best.pk, entity_id=best.entity_id, cause="test", now=make.NOW)
            == 1
        )

    @pytest.mark.parametrize(
        ("named", "expected"),
        [
            (["entity", "channel", "group", "customer"], "customer"),
            (["entity", "channel", "group"], "group"),
            (["entity", "channel"], "channel"),
            (["entity"], "entity"),
            ([], None),
        ],
    )
    def test_the_nearest_name_counts(self, named: list[str], expected: str | None) -> None:
        above = CustomerGroup.objects.create(code="ALL", name="All")
        group = CustomerGroup.objects.create(code="SOME", name="Some", parent=above)
        account = make.account(make.customer("MINE", group=group))
        order = make.created(account, make.line(make.priced()))
        codes = {
            "customer": "MINE", "group": "ALL", "channel": order.channel,
            "entity": order.entity.code,
        }  # fmt: skip
        ids = {name: segment(name) for name in named}
        for name in named:
            assigned(name, codes[name], name)

        assert segments_of(order_ids=[order.pk]).get(order.pk) == ids.get(expected or "")

    def test_what_is_assigned_can_be_taken_back(self) -> None:
        make.customer("MINE")
        segment("top")
        for to in ("top", "top", ""):
            assigned("customer", "MINE", to)

        assert not SegmentMember.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "code", "to", "field"),
        [
            ("customer", "NOPE", "top", "code"),
            ("planet", "MINE", "top", "kind"),
            ("channel", "", "top", "code"),
            ("customer", "MINE", "nope", "segment"),
        ],
    )
    def test_refuses_and_names_the_field(self, kind: str, code: str, to: str, field: str) -> None:
        make.customer("MINE")
        segment("top")

        with pytest.raises(BadMasterData) as refusal:
            assigned(kind, code, to)

        assert refusal.value.field == field
        assert not SegmentMember.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTogether:
    @pytest.mark.parametrize("again", range(4))
    def test_two_runs_at_once_take_no_more_than_the_cap_and_leave_the_floor(
        self, again: int
    ) -> None:
        part = make.priced()
        make.stocked(part, 12, node=make.node("DC-A"))
        make.stocked(part, 12, node=make.node("DC-B"))
        segment("top", rank=1)
        segment("rest", rank=2)
        customers = [make.account(make.customer(f"C-{n}")) for n in range(6)]
        for account in customers:
            assigned("customer", account.customer.code, "rest")
        kept(part, "rest", cap=Decimal(10))
        kept(part, "top", 6)
        orders = [make.submitted(account, make.line(part, 4)) for account in customers]

        found = at_once(
            *(
                lambda order=order: allocate_orders(
                    order_ids=[order.pk], cause="race", now=make.NOW
                )
                for order in orders
            )
        )

        assert not [each for each in found if isinstance(each, Exception)]
        assert sum(reserved(order) for order in orders) == 10


@pytest.mark.django_db
class TestPage:
    URL = "/orders/protection/"

    @pytest.fixture
    def pages(self, clerk: User, entity: Entity, client: Client) -> Client:
        grant(clerk, permissions.VIEW_PROTECTION, entity)
        grant(clerk, permissions.CHANGE_PROTECTION, entity)
        client.force_login(clerk)
        return client

    def share(self, seller: Entity, **change: str) -> dict[str, str]:
        return {
            "product": "PEN", "segment": "top", "entity": seller.code, "node": "", "floor": "5",
            "cap": "", "first_day": "2026-11-01", "last_day": "2099-01-01", "reason": "Launch",
        } | change  # fmt: skip

    def test_a_segment_its_members_and_its_share_are_kept_shown_and_ended(
        self, pages: Client, entity: Entity
    ) -> None:
        make.product("PEN")
        make.customer("MINE")
        pages.post(f"{self.URL}segment/", {"code": "top", "name": "Top tier", "rank": "2"})
        pages.post(f"{self.URL}member/", {"kind": "customer", "code": "MINE", "segment": "top"})
        pages.post(f"{self.URL}share/", self.share(entity))

        shown = pages.get(self.URL).text
        assert all(word in shown for word in ("PEN", "Top tier", "MINE", "Launch"))
        assert not Segment.objects.get().lends

        pages.post(f"{self.URL}end/", {"protection": str(Protection.objects.get().pk)})
        assert "Nothing is kept for anybody" in pages.get(self.URL).text

    def test_what_is_wrong_is_said_and_what_was_typed_stays(
        self, pages: Client, entity: Entity
    ) -> None:
        segment("top")
        answer = pages.post(f"{self.URL}share/", self.share(entity, product="NOPE"))

        assert answer.status_code == 422
        assert "product: " in answer.text
        assert 'value="NOPE"' in answer.text
        assert not Protection.objects.exists()

    @pytest.mark.parametrize(
        "change", [{"floor": "many"}, {"last_day": "soon"}, {"entity": "NOPE"}, {"cap": "1"}]
    )
    def test_refuses(self, pages: Client, entity: Entity, change: dict[str, str]) -> None:
        make.product("PEN")
        segment("top")

        assert pages.post(f"{self.URL}share/", self.share(entity, **change)).status_code == 422
        assert not Protection.objects.exists()

    def test_another_company_s_share_is_not_there(self, pages: Client) -> None:
        other = make.company("DE01", "EUR")
        part = make.product("PEN")
        segment("top")
        Protection.objects.create(
            segment=Segment.objects.get(), entity=other, product=part, floor=5,
            first_day=TODAY, last_day=TODAY + timedelta(days=9_000),
        )  # fmt: skip

        assert "PEN" not in pages.get(self.URL).text
        ended = pages.post(f"{self.URL}end/", {"protection": str(Protection.objects.get().pk)})
        assert ended.status_code == 404
        assert pages.post(f"{self.URL}share/", self.share(other)).status_code == 422
        assert Protection.objects.count() == 1
