"""erp/web/selectors/_finding.py"""

from collections.abc import Callable

import pytest

from erp.accounts.models import Entity
from erp.web.selectors import Found, find
from inventory.models import Product
from tests.orders import factories as orders
from tests.procurement import factories as procurement

pytestmark = pytest.mark.django_db
Entities = Callable[[str], frozenset[int]]


def within(*entities: Entity) -> Entities:
    return lambda permission: frozenset(e.pk for e in entities)


def labels(text: str, entities: Entities) -> list[str]:
    return [f"{hit.kind}: {hit.ref}" for hit in find(text, entities=entities)]


class TestFind:
    def test_finds_an_order_by_number_by_digits_and_by_the_customers_number(self) -> None:
        account = orders.account(orders.customer("HAL", name="Halden Medical"))
        made = orders.created(account, orders.line(orders.priced()), customer_po="PO-77120-b")
        ours = within(account.entity)

        for text in (made.number, made.number.lower(), made.number[3:], " po-77120-B "):
            assert labels(text, ours) == [f"Orders: {made.number}"]

    def test_shows_nothing_of_another_entity(self, germany: Entity) -> None:
        account = orders.account(orders.customer("HAL", name="Halden Medical"))
        made = orders.created(account, orders.line(orders.priced()))
        bought = procurement.make_order()

        for text in (made.number, "Halden", bought.number):
            assert labels(text, within(germany)) == []

    def test_shows_nothing_that_the_person_may_not_see(self, entity: Entity) -> None:
        orders.account(orders.customer("HAL", name="Halden Medical"))

        assert labels("Halden", lambda permission: frozenset()) == []

    def test_finds_a_customer_by_any_word_of_the_name(self) -> None:
        account = orders.account(orders.customer("HAL", name="Halden Medical"))

        for text in ("hal", "medical", "den med"):
            assert labels(text, within(account.entity)) == ["Customers: HAL"]

    def test_finds_a_product_by_code_name_and_barcode(self, entity: Entity) -> None:
        Product.objects.create(code="HX-110", name="Sterile drape", barcode="4006381333931")

        for text in ("hx-1", "drape", "4006381333931"):
            assert labels(text, within(entity)) == ["Products: HX-110"]

    def test_finds_purchase_orders_and_suppliers(self) -> None:
        bought = procurement.make_order()

        assert labels(bought.number, within(bought.entity)) == [f"Purchase orders: {bought.number}"]
        assert f"Suppliers: {bought.supplier.code}" in labels(
            bought.supplier.name, within(bought.entity)
        )

    def test_takes_signs_of_the_pattern_literally(self, entity: Entity) -> None:
        Product.objects.create(code="A-1", name="100% cotton_pad")
        Product.objects.create(code="A-2", name="Plain gauze")

        assert labels("100%", within(entity)) == ["Products: A-1"]
        assert labels("n_p", within(entity)) == ["Products: A-1"]
        assert labels("%%", within(entity)) == []
        assert labels("\\\\", within(entity)) == []

    def test_stops_at_its_limit(self, entity: Entity) -> None:
        for n in range(9):
            Product.objects.create(code=f"B-{n}", name="Bandage")

        assert len(find("bandage", entities=within(entity), limit=4)) == 4

    @pytest.mark.parametrize("text", ["", " ", "x", "\0", "'; DROP TABLE orders_order; --"])
    def test_finds_nothing_in_too_little_or_too_strange(self, entity: Entity, text: str) -> None:
        assert find(text, entities=within(entity)) == []

    def test_a_hit_says_enough_to_choose_it(self) -> None:
        account = orders.account(orders.customer("HAL", name="Halden Medical", tier="A"))

        [hit] = find("halden", entities=within(account.entity))

        assert hit == Found(
            "Customers", "users", "orders:customer", "HAL", "Halden Medical", "Tier A · HAL", ""
        )
