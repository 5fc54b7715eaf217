"""The lines of an order: what of which product, at which price, and how far it has come."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, QuantityField, RateField
from orders.models.blanket import BlanketLine
from orders.models.kit import KitLine
from orders.models.order import Order
from orders.models.promise import KEEP_LEDGER
from orders.models.quote import QuoteLine


class OrderLine(models.Model):
    """So much of one product at one price, in the order's currency per base unit.

    `amount` is quantity x unit_price x (1 - discount), half up to a hundredth of a cent; documents
    round once, at their total. `reserved`, `shipped`, `invoiced`, `cancelled` mirror what inventory
    and finance did for the line, in base units. `waiting` is what nobody has reserved yet, and
    `disposition` what becomes of it when stock falls short. `price_source` says in words where the
    price comes from; `price_basis` holds the ids behind it and what the prices that lost would have
    been. A component of a kit names its `kit`, of which each holds `per_kit`. `quote_line` or
    `blanket_line` is what the line was ordered from: it takes of that. Its lots must keep
    `fresh_days` beyond the promise, where it says more or less than the customer. A line that goes
    out `instead_of` another replaces so many base units of that (`replaces`), which are cancelled
    there. What is left to replenishment is reserved from `reserve_on` on. Of what waits, so much
    as is `direct` a supplier was told to send straight to the customer: no stock is kept for it.
    """

    class Disposition(models.TextChoices):
        BACKORDER = "backorder", "Backorder"
        CANCEL = "cancel", "Cancel the rest"
        SHIP_COMPLETE = "ship_complete", "Ship the line complete"
        SUBSTITUTE = "substitute", "Substitute will do"
        DIRECT_SHIP = "direct_ship", "Ship direct from the supplier"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    uom = models.CharField(max_length=10)
    uom_quantity = QuantityField()
    quantity = QuantityField()
    unit_price = AmountField()
    price_source = models.CharField(max_length=300, blank=True)
    price_basis = models.JSONField(default=dict, blank=True)
    discount = RateField(default=Decimal(0))
    amount = AmountField()
    node = models.ForeignKey(
        "inventory.Node",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    first_promised_date = models.DateField(null=True, blank=True)
    promised_date = models.DateField(null=True, blank=True)
    promised_p90_date = models.DateField(null=True, blank=True)
    promise_basis = models.JSONField(null=True, blank=True)
    reserved = QuantityField(default=Decimal(0))
    shipped = QuantityField(default=Decimal(0))
    invoiced = QuantityField(default=Decimal(0))
    cancelled = QuantityField(default=Decimal(0))
    direct = QuantityField(default=Decimal(0), db_default=Decimal(0))
    disposition = models.CharField(
        max_length=20,
        choices=Disposition,
        default=Disposition.BACKORDER,
        db_default=Disposition.BACKORDER,
    )
    kit = models.ForeignKey(
        KitLine,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="components",
        db_index=False,
    )
    per_kit = QuantityField(null=True, blank=True)  # type: ignore[misc]
    quote_line = models.ForeignKey(
        QuoteLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    blanket_line = models.ForeignKey(
        BlanketLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    fresh_days = models.PositiveSmallIntegerField(null=True, blank=True)
    reserve_on = models.DateField(null=True, blank=True)
    instead_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="substitutes",
        db_index=False,
    )
    replaces = QuantityField(null=True, blank=True)  # type: ignore[misc]
    waiting = models.GeneratedField(
        expression=F("quantity") - F("cancelled") - F("reserved") - F("shipped"),
        output_field=QuantityField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="orders_orderline_one_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="orders_orderline_quantity_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, discount__gte=0, discount__lte=1),
                name="orders_orderline_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, shipped__gte=0, cancelled__gte=0, invoiced__gte=0)
                & Q(quantity__gte=F("reserved") + F("shipped") + F("cancelled")),
                name="orders_orderline_serves_at_most_what_was_ordered",
            ),
            models.CheckConstraint(
                condition=Q(
                    direct__gte=0,
                    quantity__gte=F("reserved") + F("shipped") + F("cancelled") + F("direct"),
                ),
                name="orders_orderline_direct_is_kept_by_nobody_else",
            ),
            models.CheckConstraint(
                condition=Q(
                    disposition__in=[
                        "backorder",
                        "cancel",
                        "ship_complete",
                        "substitute",
                        "direct_ship",
                    ]
                ),
                name="orders_orderline_disposition_known",
            ),
            models.CheckConstraint(
                condition=Q(kit=None, per_kit=None) | Q(kit__isnull=False, per_kit__gt=0),
                name="orders_orderline_of_a_kit_says_how_many_it_holds",
            ),
            models.CheckConstraint(
                condition=Q(instead_of=None, replaces=None)
                | Q(instead_of__isnull=False, replaces__gt=0),
                name="orders_orderline_instead_of_another_says_how_much",
            ),
            models.CheckConstraint(
                condition=Q(quote_line=None) | Q(blanket_line=None),
                name="orders_orderline_was_ordered_from_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(invoiced__lte=F("shipped")),
                name="orders_orderline_invoices_only_what_shipped",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keep_promise_ledger",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__promised_date__df=pgtrigger.F("new__promised_date"))
                | pgtrigger.Q(old__promised_p90_date__df=pgtrigger.F("new__promised_p90_date")),
                func=KEEP_LEDGER,
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "order"],
                name="orders_orderline_waiting",
                condition=Q(waiting__gt=0),
            ),
            models.Index(
                fields=["kit"], name="orders_orderline_of_kit", condition=Q(kit__isnull=False)
            ),
            models.Index(
                fields=["reserve_on"],
                name="orders_orderline_reserve_on",
                condition=Q(reserve_on__isnull=False),
            ),
            models.Index(
                fields=["instead_of"],
                name="orders_orderline_of_original",
                condition=Q(instead_of__isnull=False),
            ),
            models.Index(
                fields=["quote_line"],
                name="orders_orderline_of_quote",
                condition=Q(quote_line__isnull=False),
            ),
            models.Index(
                fields=["blanket_line"],
                name="orders_orderline_of_blanket",
                condition=Q(blanket_line__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"
