"""Tests finance/views: status, permission, scope, and that each form does what it says."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.kernel.sql import rows
from finance.models import Invoice, Payment, Period
from orders.models import Order
from tests.finance import factories
from tests.finance.factories import World, allocated, invoiced, packed, product, shipments_of
from tests.finance.purchases import sent_order

SignIn = Callable[..., Client]


@pytest.fixture
def signed_in(world: World) -> SignIn:
    """Sign somebody in who has these roles in the world's entity."""

    def sign_in(*roles: Role, where: World = world) -> Client:
        user = User.objects.create_user(f"user-{User.objects.count()}")
        for role in roles:
            assign_role(user=user, entity=where.entity, role=role)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def number_of(shipment_id: int) -> str:
    return str(rows("SELECT number FROM inventory_shipment WHERE id = %s", [shipment_id])[0][0])


def state_of(shipment_id: int) -> str:
    return str(rows("SELECT state FROM inventory_shipment WHERE id = %s", [shipment_id])[0][0])


class TestShipmentBoard:
    def test_shows_what_is_to_do(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world), "4", "9.99"))

        page = signed_in(Role.WAREHOUSE).get(reverse("finance:shipments"))

        assert page.status_code == 200
        assert number_of(shipments_of(order)[0]) in page.content.decode()

    def test_hides_what_is_anothers(self, world: World, signed_in: SignIn) -> None:
        other = factories.world("DE01", "EUR")
        number = number_of(shipments_of(allocated(other, (product(other), "1", "5")))[0])
        client = signed_in(Role.WAREHOUSE)

        assert number not in client.get(reverse("finance:shipments")).content.decode()
        assert client.get(reverse("finance:shipment", args=[number])).status_code == 404
        assert client.get(reverse("finance:pick", args=[number])).status_code == 404
        assert client.get(reverse("finance:packing_slip", args=[number])).status_code == 404

    def test_takes_many_through_picking_packing_and_shipping(
        self, world: World, signed_in: SignIn
    ) -> None:
        ids = [shipments_of(allocated(world, (product(world), "1", "5")))[0] for _ in range(3)]
        client = signed_in(Role.OPERATIONS_LEAD)

        for step in ("pick_many", "pack_many", "ship_many"):
            answer = client.post(reverse(f"finance:{step}"), {"id": ids})
            assert answer.status_code == 302

        assert {state_of(each) for each in ids} == {"shipped"}

    def test_does_not_ship_what_is_anothers(self, world: World, signed_in: SignIn) -> None:
        other = factories.world("DE01", "EUR")
        _, theirs = packed(other, (product(other), "1", "5"))
        _, ours = packed(world, (product(world), "1", "5"))

        answer = signed_in(Role.SHIPPING).post(
            reverse("finance:ship_many"), {"id": [*ours, *theirs]}
        )

        assert answer.status_code == 404
        assert state_of(ours[0]) == "packed"

    def test_refuses_who_may_not(self, world: World, signed_in: SignIn) -> None:
        _, ids = packed(world, (product(world), "1", "5"))

        answer = signed_in(Role.WAREHOUSE).post(reverse("finance:ship_many"), {"id": ids})

        assert answer.status_code == 403
        assert state_of(ids[0]) == "packed"


class TestPickPage:
    def test_confirms_what_was_found(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        shipment = shipments_of(order)[0]
        client = signed_in(Role.WAREHOUSE)
        address = reverse("finance:pick", args=[number_of(shipment)])
        page = client.get(address)
        line = page.context["shipment"].lines[0]

        answer = client.post(address, {f"found_{line.id}": "4", f"reason_{line.id}": ""})

        assert answer.status_code == 302
        assert state_of(shipment) == "picked"

    def test_wants_a_reason_for_less(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        shipment = shipments_of(order)[0]
        client = signed_in(Role.WAREHOUSE)
        address = reverse("finance:pick", args=[number_of(shipment)])
        line = client.get(address).context["shipment"].lines[0]

        refused = client.post(address, {f"found_{line.id}": "3"})
        more = client.post(address, {f"found_{line.id}": "5"})

        assert (refused.status_code, more.status_code) == (422, 422)
        assert "Say why less was found." in refused.content.decode()
        assert state_of(shipment) == "planned"

    def test_takes_less_with_a_reason(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world, on_hand="4"), "4", "9.99"))
        shipment = shipments_of(order)[0]
        client = signed_in(Role.WAREHOUSE)
        address = reverse("finance:pick", args=[number_of(shipment)])
        line = client.get(address).context["shipment"].lines[0]

        client.post(address, {f"found_{line.id}": "3", f"reason_{line.id}": "damaged"})

        assert state_of(shipment) == "picked"
        assert Order.objects.get(pk=order.pk).lines.get().reserved == 3


class TestShipmentPage:
    def test_packs_ships_delivers(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        shipment = shipments_of(order)[0]
        number = number_of(shipment)
        client = signed_in(Role.OPERATIONS_LEAD)
        client.post(reverse("finance:pick_many"), {"id": [shipment]})

        bad = client.post(reverse("finance:pack", args=[number]), {"weights": "1.5 x"})
        client.post(reverse("finance:pack", args=[number]), {"weights": "1.5 2,25"})
        client.post(reverse("finance:ship", args=[number]))
        client.post(reverse("finance:deliver", args=[number]))
        page = client.get(reverse("finance:shipment", args=[number]))

        assert bad.status_code == 422
        assert state_of(shipment) == "delivered"
        assert [box.weight for box in page.context["shipment"].cartons] == [
            Decimal("1.5"), Decimal("2.25"),
        ]  # fmt: skip
        assert page.status_code == 200

    def test_gives_papers(self, world: World, signed_in: SignIn) -> None:
        _, ids = packed(world, (product(world), "4", "9.99"))
        number = number_of(ids[0])
        client = signed_in(Role.SHIPPING)

        slip = client.get(reverse("finance:packing_slip", args=[number]))
        labels = client.get(reverse("finance:labels", args=[number]))

        assert slip.content.startswith(b"%PDF")
        assert labels.content.decode().startswith("^XA")

    def test_voids_and_plans_anew(self, world: World, signed_in: SignIn) -> None:
        order, ids = packed(world, (product(world), "4", "9.99"))

        signed_in(Role.SHIPPING).post(
            reverse("finance:void", args=[number_of(ids[0])]), {"reason": "Wrong carrier"}
        )

        assert state_of(ids[0]) == "void"
        assert len(shipments_of(order)) == 1

    def test_says_no_in_a_sentence(self, world: World, signed_in: SignIn) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        number = number_of(shipments_of(order)[0])

        answer = signed_in(Role.SHIPPING).post(reverse("finance:ship", args=[number]))

        assert answer.status_code == 409
        assert "Cannot ship" in answer.content.decode()


class TestReceiving:
    def test_takes_in_what_came(self, world: World, signed_in: SignIn) -> None:
        goods = product(world, on_hand="0")
        order = sent_order(world, (goods, "10", "2.50"))
        client = signed_in(Role.WAREHOUSE)
        address = reverse("finance:receive", args=[order.number])

        listed = client.get(reverse("finance:receiving")).content.decode()
        line = client.get(address).context["page"].lines[0]
        empty = client.post(address, {f"came_{line.id}": ""})
        over = client.post(address, {f"came_{line.id}": "11"})
        client.post(address, {f"came_{line.id}": "4"})
        rest = client.get(address).context["page"].lines[0]

        assert order.number in listed
        assert (empty.status_code, over.status_code) == (422, 422)
        assert (rest.received, rest.due) == (4, 6)


class TestMoneyPages:
    def test_show_an_invoice_with_its_journal(self, world: World, signed_in: SignIn) -> None:
        order, numbers = invoiced(world, (product(world), "4", "9.99"), freight="3")
        client = signed_in(Role.AR)

        board = client.get(reverse("finance:invoices"))
        page = client.get(reverse("finance:invoice", args=[numbers[0]]))
        pdf = client.get(reverse("finance:invoice_pdf", args=[numbers[0]]))
        part = client.get(reverse("finance:of_order", args=[order.pk]))

        assert numbers[0] in board.content.decode()
        assert page.context["entries"][0].debit == Decimal("42.96")
        assert pdf.content.startswith(b"%PDF")
        assert numbers[0] in part.content.decode()

    @pytest.mark.parametrize("name", ["invoices", "payments", "ledger", "entries", "periods"])
    def test_open_without_anything(self, world: World, signed_in: SignIn, name: str) -> None:
        assert signed_in(Role.CONTROLLER).get(reverse(f"finance:{name}")).status_code == 200

    def test_hide_what_is_anothers(self, world: World, signed_in: SignIn) -> None:
        other = factories.world("DE01", "EUR")
        order, numbers = invoiced(other, (product(other), "1", "5"))
        client = signed_in(Role.AR)

        assert numbers[0] not in client.get(reverse("finance:invoices")).content.decode()
        assert client.get(reverse("finance:invoice", args=numbers)).status_code == 404
        assert client.get(reverse("finance:invoice_pdf", args=numbers)).status_code == 404
        part = client.get(reverse("finance:of_order", args=[order.pk])).content.decode()
        assert numbers[0] not in part

    def test_post_a_payment_by_age_and_by_name(self, world: World, signed_in: SignIn) -> None:
        _, numbers = invoiced(world, (product(world), "4", "10"))
        client = signed_in(Role.AR)
        form = {
            "entity": "US01", "customer": world.customer.code, "amount": "15.00",
            "reference": "R-1", "received_date": "2026-11-22",
        }  # fmt: skip

        owed = client.get(
            reverse("finance:open_invoices"), {"entity": "US01", "customer": world.customer.code}
        )
        first = client.post(reverse("finance:post_payment"), form)
        named = {**form, "reference": "R-2", f"on_{numbers[0]}": "5.00"}
        client.post(reverse("finance:post_payment"), named)

        assert numbers[0] in owed.content.decode()
        assert first.status_code == 302
        assert Invoice.objects.get().paid == Decimal(20)
        assert Payment.objects.get(reference="R-2").unapplied == Decimal(10)

    def test_put_the_rest_on_invoices(self, world: World, signed_in: SignIn) -> None:
        client = signed_in(Role.AR)
        form = {
            "entity": "US01", "customer": world.customer.code, "amount": "50",
            "reference": "R-1", "received_date": "2026-11-22",
        }  # fmt: skip
        client.post(reverse("finance:post_payment"), form)
        invoiced(world, (product(world), "4", "10"))
        number = Payment.objects.get().number

        page = client.get(reverse("finance:payment", args=[number]))
        client.post(reverse("finance:allocate", args=[number]))

        assert page.status_code == 200
        assert Payment.objects.get().unapplied == Decimal(10)
        assert Invoice.objects.get().state == "paid"

    def test_keep_what_was_typed_when_it_is_wrong(self, world: World, signed_in: SignIn) -> None:
        client = signed_in(Role.AR)
        form = {
            "entity": "US01", "customer": "NOBODY", "amount": "x", "reference": "R-77",
            "received_date": "2026-11-22",
        }  # fmt: skip

        bad = client.post(reverse("finance:post_payment"), form)
        unknown = client.post(reverse("finance:post_payment"), {**form, "amount": "5"})

        assert (bad.status_code, unknown.status_code) == (422, 422)
        assert "R-77" in unknown.content.decode()
        assert "No customer of this entity has that code." in unknown.content.decode()
        assert not Payment.objects.exists()

    def test_show_a_ledger_that_ties(self, world: World, signed_in: SignIn) -> None:
        invoiced(world, (product(world), "4", "9.99"))

        page = signed_in(Role.CONTROLLER).get(reverse("finance:ledger"))

        assert page.context["apart"] == []
        assert page.context["books"][0]["debit"] == page.context["books"][0]["credit"] > 0

    def test_close_a_month_and_open_it(self, world: World, signed_in: SignIn) -> None:
        month = Period.objects.get(starts="2026-10-01")
        client = signed_in(Role.CONTROLLER)
        seen = []

        for step in ("soft_close", "close", "reopen"):
            client.post(reverse(f"finance:{step}", args=[month.pk]))
            seen.append(Period.objects.get(pk=month.pk).state)

        assert seen == ["soft_closed", "closed", "open"]
        assert signed_in(Role.AR).post(reverse("finance:close", args=[month.pk])).status_code == 403
        other = factories.world("DE01", "EUR")
        theirs = Period.objects.get(entity=other.entity, starts="2026-10-01")
        assert client.post(reverse("finance:close", args=[theirs.pk])).status_code == 404
