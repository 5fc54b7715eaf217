"""procurement/views: the pages of purchasing, as people use them."""

import pytest
from django.test import Client

from erp.accounts.models import User
from procurement import permissions
from procurement.models import PurchaseOrder, PurchaseProposal
from procurement.services import replenish, submit_order
from tests.conftest import NOW, grant
from tests.procurement.factories import (
    make_entity,
    make_need,
    make_order,
    make_person,
    make_sent_order,
)

pytestmark = pytest.mark.django_db
BUYER = [
    permissions.VIEW,
    permissions.WRITE,
    permissions.SEND,
    permissions.VIEW_PROPOSAL,
    permissions.DECIDE,
    permissions.VIEW_SUPPLIER,
]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def buyer() -> User:
    return make_person("buyer", make_entity(), *BUYER)


@pytest.fixture
def page(buyer: User) -> Client:
    return signed_in(buyer)


def again(order: PurchaseOrder) -> PurchaseOrder:
    return PurchaseOrder.objects.get(pk=order.pk)


class TestBoard:
    def test_shows_the_figures_and_accepts_many(self, page: Client) -> None:
        ids = replenish(keys=[make_need().key, make_need().key], now=NOW)

        shown = page.get("/procurement/").content.decode()
        done = page.post("/procurement/proposals/accept/", {"id": ids})

        assert "reorder at" in shown, shown[shown.index("<tbody") :]
        assert done.status_code == 302
        assert PurchaseOrder.objects.count() == 2
        assert "accepted" in page.get("/procurement/?state=accepted").content.decode().lower()

    def test_accepts_one_with_another_quantity(self, page: Client) -> None:
        (pk,) = replenish(keys=[make_need().key], now=NOW)

        done = page.post(f"/procurement/proposals/{pk}/accept/", {"quantity": "7"})

        order = PurchaseOrder.objects.get()
        assert done.headers["Location"] == f"/procurement/orders/{order.number}/"
        assert order.lines.get().quantity == 7

    def test_refuses_nonsense_with_a_sentence(self, page: Client) -> None:
        (pk,) = replenish(keys=[make_need().key], now=NOW)

        bad = page.post(f"/procurement/proposals/{pk}/accept/", {"quantity": "many"})
        silent = page.post(f"/procurement/proposals/{pk}/reject/", {"reason": ""})

        assert (bad.status_code, silent.status_code) == (409, 409)
        assert "above zero" in bad.content.decode()
        assert PurchaseProposal.objects.get().state == "open"

    def test_another_entity_s_is_not_there(self, page: Client) -> None:
        (pk,) = replenish(keys=[make_need(entity=make_entity("DE01", "EUR")).key], now=NOW)

        assert page.post(f"/procurement/proposals/{pk}/accept/").status_code == 404
        assert page.post("/procurement/proposals/accept/", {"id": [pk]}).status_code == 404
        assert PurchaseProposal.objects.get().state == "open"

    def test_pages_by_need(self, page: Client, django_assert_max_num_queries) -> None:
        replenish(keys=[make_need().key for _ in range(3)], now=NOW)

        with django_assert_max_num_queries(14):
            assert page.get("/procurement/").status_code == 200
        assert page.get("/procurement/?after=nonsense_x&q=%25&node=x").status_code == 200

    def test_is_not_for_everybody(self) -> None:
        nobody = signed_in(User.objects.create_user("nobody"))

        assert nobody.get("/procurement/").status_code == 403
        assert nobody.get("/procurement/orders/").status_code == 403


class TestOrder:
    def test_goes_all_the_way_by_buttons(self, page: Client) -> None:
        need = make_need()
        boss = make_person("boss", need.entity, permissions.VIEW, permissions.APPROVE)
        typed = {
            "entity": need.entity.pk,
            "supplier": need.supplier.code,
            "node": need.node.pk,
            "product": [need.product.code, ""],
            "quantity": ["12", ""],
            "price": ["", ""],
        }

        assert page.get("/procurement/orders/new/").status_code == 200
        written = page.post("/procurement/orders/new/", typed)
        at = written.headers["Location"]
        assert "Submit for approval" in page.get(at).content.decode()
        assert page.post(f"{at}submit/").status_code == 302
        assert "Nobody approves" in page.get(at).content.decode()
        assert page.post(f"{at}approve/").status_code == 403
        assert "Approve" in signed_in(boss).get(at).content.decode()
        assert signed_in(boss).post(f"{at}approve/").status_code == 302
        assert page.post(f"{at}send/").status_code == 302
        line = PurchaseOrder.objects.get().lines.get()
        assert page.get(f"{at}acknowledge/").status_code == 200
        page.post(f"{at}acknowledge/", {f"line-{line.pk}": "2027-05-01"})

        order = PurchaseOrder.objects.get()
        assert order.state == "acknowledged"
        assert order.expected_date.isoformat() == "2027-05-01"
        story = page.get(at).content.decode()
        assert "Confirmed by the supplier" in story
        assert "Approval given" in story

    def test_a_bad_form_keeps_what_was_typed_and_saves_nothing(self, page: Client) -> None:
        need = make_need()
        typed = {
            "entity": need.entity.pk,
            "supplier": "NOBODY",
            "node": need.node.pk,
            "product": ["NOTHING", need.product.code],
            "quantity": ["1", "lots"],
            "price": ["", "1"],
        }

        answer = page.post("/procurement/orders/new/", typed)

        said = answer.content.decode()
        assert answer.status_code == 422
        assert "There is no such supplier." in said
        assert "There is no such product." in said
        assert 'value="lots"' in said
        assert not PurchaseOrder.objects.exists()

    def test_a_draft_is_changed(self, page: Client, buyer: User) -> None:
        order = again(make_order(actor=buyer))
        at = f"/procurement/orders/{order.number}/edit/"
        typed = {
            "entity": order.entity_id,
            "supplier": order.supplier.code,
            "node": order.node_id,
            "product": [order.lines.get().product.code],
            "quantity": ["99"],
            "price": ["1"],
        }

        assert "10.000" in page.get(at).content.decode()
        page.post(at, typed)

        assert again(order).total == 99

    def test_the_boss_sends_it_back(self, buyer: User) -> None:
        order = again(make_order(actor=buyer))
        submit_order(order_id=order.pk, actor=buyer, now=NOW)
        boss = signed_in(make_person("boss", order.entity, permissions.VIEW, permissions.APPROVE))
        at = f"/procurement/orders/{order.number}/reject/"

        assert boss.post(at, {"reason": ""}).status_code == 409
        assert boss.post(at, {"reason": "too dear"}).status_code == 302

        assert again(order).state == "draft"

    def test_is_cancelled_and_closed_with_a_reason(self, page: Client) -> None:
        order = again(make_sent_order())
        at = f"/procurement/orders/{order.number}"

        assert page.post(f"{at}/close/").status_code == 409
        assert page.post(f"{at}/cancel/", {"reason": "wrong one"}).status_code == 302

        assert again(order).close_reason == "wrong one"
        assert "wrong one" in page.get(f"{at}/").content.decode()

    def test_another_entity_s_is_not_there(self, page: Client) -> None:
        order = again(make_order(entity=make_entity("DE01", "EUR")))
        at = f"/procurement/orders/{order.number}/"

        assert page.get(at).status_code == 404
        for verb in ("submit", "send", "close", "cancel"):
            assert page.post(f"{at}{verb}/").status_code == 404
        assert order.number not in page.get("/procurement/orders/?state=all").content.decode()

    def test_the_list_narrows(self, page: Client, buyer: User) -> None:
        orders = [again(make_order(actor=buyer)) for _ in range(3)]
        submit_order(order_id=orders[0].pk, actor=buyer, now=NOW)

        shown = page.get("/procurement/orders/?state=pending").content.decode()

        assert orders[0].number in shown
        assert orders[1].number not in shown


class TestSuppliers:
    def test_show_offers_and_orders(self, page: Client) -> None:
        need = make_need()
        make_order()

        listed = page.get("/procurement/suppliers/?q=supp").content.decode()
        shown = page.get(f"/procurement/suppliers/{need.supplier.code}/").content.decode()

        assert need.supplier.code in listed
        assert need.product.code in shown
        assert page.get("/procurement/suppliers/NOBODY/").status_code == 404


class TestTasks:
    def test_the_nightly_run_proposes(self) -> None:
        from procurement.tasks import replenish_everything  # noqa: PLC0415

        make_need()

        replenish_everything()

        assert PurchaseProposal.objects.count() == 1


def test_a_grant_in_one_entity_does_not_reach_another(buyer: User) -> None:
    grant(buyer, permissions.APPROVE, make_entity("DE01", "EUR"))
    order = again(make_order(actor=make_person("writer", make_entity(), permissions.WRITE)))
    submit_order(order_id=order.pk, actor=order.created_by, now=NOW)

    answer = signed_in(buyer).post(f"/procurement/orders/{order.number}/approve/")

    assert answer.status_code == 404
    assert again(order).state == "pending"
