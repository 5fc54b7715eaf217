"""orders/services/_mastering.py."""

from dataclasses import replace
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from orders.models import CreditAccount, Customer, Order, Price, ShipTo
from orders.services import (
    AccountRow,
    CurrencyFixed,
    CustomerRow,
    PriceRow,
    ReasonMissing,
    ShipToRow,
    hold_account,
    upsert_accounts,
    upsert_customers,
    upsert_prices,
    upsert_ship_tos,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
WHO = {"actor": None, "now": make.NOW}


class TestUpsertCustomers:
    def test_adds_changes_and_leaves_alone(self) -> None:
        row = CustomerRow(code="ACME", name="Acme", city="Bonn")

        first = upsert_customers(rows=[row], **WHO)
        same = upsert_customers(rows=[row], **WHO)
        changed = upsert_customers(rows=[replace(row, name="Old"), replace(row, tier="A")], **WHO)

        assert (list(first), same, list(changed)) == (["ACME"], {}, ["ACME"])
        found = Customer.objects.get()
        assert (found.name, found.tier) == ("Acme", "A")
        actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
        assert actions == ["orders.add_customer", "orders.change_customer"]


class TestUpsertAccounts:
    def row(self, **values: object) -> AccountRow:
        who = make.customer("ACME")
        base = {"entity_id": make.company().pk, "customer_id": who.pk, "currency": "USD"}
        return AccountRow(**base | values)

    def test_keeps_what_is_owed(self) -> None:
        upsert_accounts(rows=[self.row(credit_limit=Decimal(5))], **WHO)
        CreditAccount.objects.update(receivable=3)

        upsert_accounts(rows=[self.row(credit_limit=Decimal(9), terms_days=10)], **WHO)

        found = CreditAccount.objects.get()
        assert (found.receivable, found.credit_limit, found.terms_days) == (3, 9, 10)

    def test_refuses_another_currency(self) -> None:
        upsert_accounts(rows=[self.row()], **WHO)

        with pytest.raises(CurrencyFixed):
            upsert_accounts(rows=[self.row(currency="EUR")], **WHO)

    def test_lets_held_orders_go_on_when_the_limit_rises(self) -> None:
        upsert_accounts(rows=[self.row(credit_limit=Decimal(5))], **WHO)
        order = make.submitted(CreditAccount.objects.get(), make.line(make.priced("6")))
        assert order.state == "held"

        upsert_accounts(rows=[self.row(credit_limit=Decimal(6))], **WHO)

        assert Order.objects.get().state == "released"


class TestUpsertShipTos:
    def test_adds_and_changes(self) -> None:
        row = ShipToRow(customer_id=make.customer().pk, code="1", name="Dock", city="Bonn")

        upsert_ship_tos(rows=[row], **WHO)
        upsert_ship_tos(rows=[replace(row, city="Ulm")], **WHO)

        assert ShipTo.objects.get().city == "Ulm"


class TestUpsertPrices:
    def test_knows_a_price_by_product_customer_break_and_day(self) -> None:
        row = PriceRow(
            entity_id=make.company().pk,
            product_id=make.product().pk,
            currency="USD",
            unit_price=Decimal(5),
            valid_from=make.TODAY,
        )
        contract = replace(row, customer_id=make.customer().pk, unit_price=Decimal(4))

        upsert_prices(rows=[row, contract, replace(row, min_quantity=Decimal(10))], **WHO)
        changed = upsert_prices(rows=[replace(row, unit_price=Decimal(6)), contract], **WHO)

        assert len(changed) == 1
        assert Price.objects.count() == 3
        assert set(Price.objects.values_list("kind", flat=True)) == {"list", "contract"}


class TestHoldAccount:
    def test_stops_and_lets_go_on(self, clerk) -> None:
        on = make.account()
        stop = {"account_id": on.pk, "actor": clerk, "now": make.NOW}

        hold_account(on_hold=True, reason="Bounced cheque", **stop)
        order = make.submitted(on, make.line(make.priced()))
        assert order.state == "held"
        hold_account(on_hold=False, reason="Paid", **stop)

        assert Order.objects.get().state == "released"
        reasons = AuditEntry.objects.filter(subject_kind="orders.account")
        assert list(reasons.order_by("id").values_list("reason", flat=True)) == [
            "Bounced cheque",
            "Paid",
        ]

    def test_refuses_without_a_reason(self) -> None:
        with pytest.raises(ReasonMissing):
            hold_account(
                account_id=make.account().pk, on_hold=True, actor=None, reason="", now=make.NOW
            )

        assert not CreditAccount.objects.get().on_hold
