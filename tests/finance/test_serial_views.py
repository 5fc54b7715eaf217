"""Tests serial numbers on the floor's pages: named at their field, refused at it, kept as typed."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from finance.services import adjust_stock, ship_transfers
from inventory.models import Correction, Product, Serial, Shipment, Stock, Transfer
from inventory.selectors import serials
from inventory.services import StockAdjustment
from inventory.services.transferring import TransferPick, pick_transfers
from tests.finance.factories import NOW, World, allocated, drift, product, shipments_of
from tests.finance.purchases import sent_order
from tests.finance.transfers import approved, piece_of, second_node


@pytest.fixture
def client(world: World) -> Client:
    user = User.objects.create_user("lead")
    for role in (Role.OPERATIONS_LEAD, Role.WAREHOUSE):
        assign_role(user=user, entity=world.entity, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def drill(world: World) -> Product:
    return numbered(world, "A", "B", "C", "D")


def numbered(world: World, *numbers: str) -> Product:
    goods = product(world, on_hand="0")
    Product.objects.filter(pk=goods.pk).update(tracking="serial")
    if numbers:
        found = StockAdjustment(
            entity_id=world.entity.pk,
            node_id=world.node.pk,
            product_id=goods.pk,
            quantity=Decimal(len(numbers)),
            unit_value=Decimal(4),
            reason="Opening",
            serials=numbers,
        )
        adjust_stock(adjustments=[found], kind="opening", actor=None, now=NOW)
    return goods


def on_its_way(world: World, goods: Product, *numbers: str) -> Transfer:
    transfer = approved(world, (goods, str(len(numbers))), to=second_node(world))
    named = {transfer.lines.get().pk: numbers}
    pick_transfers(
        picks=[TransferPick(transfer_id=transfer.pk, serials=named)], actor=None, now=NOW
    )
    ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)
    return Transfer.objects.get(pk=transfer.pk)


def states(world: World) -> dict[str, str]:
    return {each.number: each.state for each in serials(entity_ids=[world.entity.pk])}


class TestTransferPick:
    def test_names_what_goes_and_what_is_damaged(
        self, world: World, client: Client, drill: Product
    ) -> None:
        transfer = approved(world, (drill, "2"), to=second_node(world))
        line = transfer.lines.get().pk
        path = reverse("finance:pick_transfer", args=[transfer.number])
        said = {f"found_{line}": "1", f"reason_{line}": "damaged", f"serials_{line}": "B\r\n"}

        shown = client.get(path).content.decode()
        assert f'name="serials_{line}"' in shown
        assert 'data-known="A|B|C|D"' in shown
        done = client.post(path, said | {f"missing_{line}": " C "})

        assert done.status_code == 302
        assert states(world) == {"A": "available", "B": "picked", "C": "damaged", "D": "available"}
        assert drift() == {}

    @pytest.mark.parametrize(
        ("typed", "why"),
        [
            ("", "One number for each of 2 pieces: 0 are named."),
            ("A\nB\nC", "One number for each of 2 pieces: 3 are named."),
            ("A\nZ-9", "&#x27;Z-9&#x27; is not known"),
            ("A\nA", "&#x27;A&#x27; is named twice"),
        ],
    )
    def test_refuses_at_the_field_and_keeps_what_was_typed(
        self, world: World, client: Client, drill: Product, typed: str, why: str
    ) -> None:
        transfer = approved(world, (drill, "2"), to=second_node(world))
        line = transfer.lines.get().pk
        path = reverse("finance:pick_transfer", args=[transfer.number])

        refused = client.post(path, {f"found_{line}": "2", f"serials_{line}": typed})

        shown = refused.content.decode()
        assert refused.status_code == 422
        assert why in shown
        assert f'id="id_serials_{line}_error"' in shown
        assert f">\n{typed}</textarea>" in shown
        assert Transfer.objects.get().state == "approved"
        assert set(states(world).values()) == {"available"}


class TestTransferReceipt:
    def test_names_what_came_whole_damaged_and_over(
        self, world: World, client: Client, drill: Product
    ) -> None:
        transfer = on_its_way(world, drill, "A", "B", "C")
        piece = piece_of(transfer).pk
        path = reverse("finance:receive_transfer", args=[transfer.number])
        counted = {f"received_{piece}": "1", f"damaged_{piece}": "1", f"over_{piece}": "1"}

        assert 'data-known="A|B|C"' in client.get(path).content.decode()
        done = client.post(
            path,
            counted
            | {
                f"serials_received_{piece}": "C",
                f"serials_damaged_{piece}": "A",
                f"serials_over_{piece}": "X-1",
                "said": "One more in the carton",
            },
        )

        assert done.status_code == 302
        told = states(world)
        assert [told[n] for n in ("A", "B", "C", "X-1")] == [
            "damaged", "in_transit", "available", "available",
        ]  # fmt: skip
        assert 'data-known="B"' in client.get(path).content.decode()
        assert drift() == {}

    def test_all_that_came_whole_need_not_be_named(
        self, world: World, client: Client, drill: Product
    ) -> None:
        transfer = on_its_way(world, drill, "A", "B")
        piece = piece_of(transfer).pk

        done = client.post(
            reverse("finance:receive_transfer", args=[transfer.number]), {f"received_{piece}": "2"}
        )

        assert done.status_code == 302
        assert Transfer.objects.get().state == "closed"
        assert Stock.objects.get(node__code="DC-2", status="available").serials.count() == 2

    @pytest.mark.parametrize(
        ("values", "field", "why"),
        [
            ({"received": "1"}, "received", "One number for the 1 piece: 0 are named."),
            ({"over": "1"}, "over", "One number for the 1 piece: 0 are named."),
            (
                {"received": "1", "serials_received": "D"},
                "received",
                "&#x27;D&#x27; lies at DC-US01 (available)",
            ),
            (
                {"over": "1", "serials_over": "A", "received": "1", "serials_received": "B"},
                "over",
                "&#x27;A&#x27; lies at DC-2 (in transit)",
            ),
        ],
    )
    def test_refuses_at_the_field_and_moves_nothing(  # noqa: PLR0917
        self,
        world: World,
        client: Client,
        drill: Product,
        values: dict[str, str],
        field: str,
        why: str,
    ) -> None:
        transfer = on_its_way(world, drill, "A", "B")
        piece = piece_of(transfer).pk
        given = {f"{name}_{piece}": value for name, value in values.items()}

        refused = client.post(
            reverse("finance:receive_transfer", args=[transfer.number]),
            given | {"said": "Counted twice"},
        )

        shown = refused.content.decode()
        assert (refused.status_code, Transfer.objects.get().state) == (422, "in_transit")
        assert why in shown.split(f'id="id_serials_{field}_{piece}_error"')[1][:200]
        assert (states(world)["A"], states(world)["B"]) == ("in_transit", "in_transit")

    def test_settling_says_which_is_lost_and_which_never_left(
        self, world: World, client: Client, drill: Product
    ) -> None:
        transfer = on_its_way(world, drill, "A", "B")
        piece = piece_of(transfer).pk

        done = client.post(
            reverse("finance:settle_transfer", args=[transfer.number]),
            {
                f"lost_{piece}": "1",
                f"serials_lost_{piece}": "B",
                f"returned_{piece}": "1",
                f"serials_returned_{piece}": "A",
                "said": "It stood on the wrong dock",
            },
        )

        assert done.status_code == 302
        assert (states(world)["A"], states(world)["B"]) == ("available", "gone")
        assert drift() == {}


class TestShipmentPick:
    def test_tells_the_scanner_which_pieces_may_be_taken(
        self, world: World, client: Client, drill: Product
    ) -> None:
        one, two = (
            Shipment.objects.get(pk=shipments_of(allocated(world, (drill, "1", "9.99")))[0])
            for _ in range(2)
        )
        line = one.lines.get().pk
        client.post(
            reverse("finance:pick", args=[one.number]),
            {f"found_{line}": "1", f"serials_{line}": "B"},
        )

        shown = client.get(reverse("finance:pick", args=[two.number])).content.decode()

        assert 'data-known="A|C|D"' in shown

    def test_refuses_at_the_field(self, world: World, client: Client, drill: Product) -> None:
        shipment = Shipment.objects.get(pk=shipments_of(allocated(world, (drill, "2", "9.99")))[0])
        line = shipment.lines.get().pk

        refused = client.post(
            reverse("finance:pick", args=[shipment.number]),
            {f"found_{line}": "2", f"serials_{line}": "A\nZ-9"},
        )

        shown = refused.content.decode()
        assert refused.status_code == 422
        assert (
            "&#x27;Z-9&#x27; is not known" in shown.split(f'id="id_serials_{line}_error"')[1][:200]
        )
        assert Shipment.objects.get(pk=shipment.pk).state == "planned"
        assert not Serial.objects.exclude(line=None).exists()


class TestReceipt:
    def test_refuses_at_the_field(self, world: World, client: Client, drill: Product) -> None:
        order = sent_order(world, (drill, "2", "2.50"))
        line = order.lines.get().pk

        refused = client.post(
            reverse("finance:receive", args=[order.number]),
            {f"came_{line}": "2", f"serials_{line}": "N-1\nA"},
        )

        shown = refused.content.decode()
        assert refused.status_code == 422
        assert "&#x27;A&#x27; lies at" in shown.split(f'id="id_serials_{line}_error"')[1][:200]
        assert not Serial.objects.filter(number="N-1").exists()


class TestCorrection:
    @staticmethod
    def asked(world: World, products: str, **values: str) -> dict[str, str]:
        return {
            "node": f"{world.entity.pk}.{world.node.pk}",
            "status": "available",
            "to_status": "",
            "products": products,
            "reason": "Looked again",
        } | values

    def test_shows_a_field_for_what_is_named(
        self, world: World, client: Client, drill: Product
    ) -> None:
        other = product(world)
        typed = f"{other.code} 2\n{drill.code} -1\nnonsense\n{drill.code} -1\nNO-SUCH 1"

        shown = client.post(
            reverse("finance:pieces_to_correct"),
            self.asked(world, typed, **{f"serials_{drill.pk}_off": "B"}),
        )

        told = shown.content.decode()
        assert shown.status_code == 200
        assert told.count("<textarea") == 1
        assert "2 written off" in told
        assert ">\nB</textarea>" in told
        assert 'class="error"' not in told

    def test_swaps_a_piece_that_was_taken_for_another(
        self, world: World, client: Client, drill: Product
    ) -> None:
        client.post(
            reverse("finance:ask_correction"),
            self.asked(
                world,
                f"{drill.code} -1\n{drill.code} 1",
                **{f"serials_{drill.pk}_off": "B", f"serials_{drill.pk}": "N-1"},
            ),
        )
        correction = Correction.objects.get()
        page = client.get(reverse("finance:correction", args=[correction.number]))
        client.post(reverse("finance:post_correction", args=[correction.number]))

        assert [line.serials for line in correction.lines.order_by("position")] == [["B"], ["N-1"]]
        assert "N-1" in page.content.decode()
        assert (states(world)["B"], states(world)["N-1"]) == ("gone", "available")
        assert drift() == {}

    def test_sets_aside_by_name_and_lets_go_by_name(
        self, world: World, client: Client, drill: Product
    ) -> None:
        field = f"serials_{drill.pk}"
        client.post(
            reverse("finance:ask_correction"),
            self.asked(world, f"{drill.code} 2", to_status="quarantine", **{field: "A\nC"}),
        )
        client.post(reverse("finance:post_correction", args=[Correction.objects.get().number]))
        release = self.asked(world, f"{drill.code} 1", status="quarantine", to_status="available")
        wrong = client.post(reverse("finance:ask_correction"), release | {field: "B"})
        right = client.post(reverse("finance:ask_correction"), release | {field: "C"})

        assert states(world) == {
            "A": "quarantine", "B": "available", "C": "quarantine", "D": "available",
        }  # fmt: skip
        assert (wrong.status_code, right.status_code) == (422, 302)
        shown = wrong.content.decode()
        assert "&#x27;B&#x27; lies at DC-US01 (available)" in shown.split(f"id_{field}_error")[-1]
        assert Correction.objects.latest("pk").state == "review"
        assert Correction.objects.count() == 2

    @pytest.mark.parametrize(
        ("quantity", "typed", "why"),
        [
            ("-1", "", "One number for the 1 piece: 0 are named."),
            ("-2", "A", "One number for each of 2 pieces: 1 are named."),
            ("-1", "Z-9", "&#x27;Z-9&#x27; is not known"),
            ("1", "A", "&#x27;A&#x27; lies at DC-US01 (available)"),
            ("2", "X\nX", "&#x27;X&#x27; is named twice"),
            ("1", "X" * 61, "does not have 1 to 60 characters"),
        ],
    )
    def test_refuses_at_the_field_before_anybody_is_asked(  # noqa: PLR0917
        self,
        world: World,
        client: Client,
        drill: Product,
        quantity: str,
        typed: str,
        why: str,
    ) -> None:
        field = f"serials_{drill.pk}" + ("_off" if quantity.startswith("-") else "")

        refused = client.post(
            reverse("finance:ask_correction"),
            self.asked(world, f"{drill.code} {quantity}", **{field: typed}),
        )

        shown = refused.content.decode()
        assert refused.status_code == 422
        assert why in shown.split(f"id_{field}_error")[-1]
        assert f">\n{typed}</textarea>" in shown
        assert not Correction.objects.exists()

    def test_a_piece_that_is_picked_is_not_written_off(
        self, world: World, client: Client, drill: Product
    ) -> None:
        shipment = Shipment.objects.get(pk=shipments_of(allocated(world, (drill, "1", "9.99")))[0])
        line = shipment.lines.get().pk
        client.post(
            reverse("finance:pick", args=[shipment.number]),
            {f"found_{line}": "1", f"serials_{line}": "A"},
        )

        refused = client.post(
            reverse("finance:ask_correction"),
            self.asked(world, f"{drill.code} -1", **{f"serials_{drill.pk}_off": "A"}),
        )

        assert refused.status_code == 422
        assert f"is taken by {shipment.number}" in refused.content.decode()
