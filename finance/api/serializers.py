"""What finance's resources take and give."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import AmountInput, QuantityInput, StrictSerializer, TextInput

SERIALS_MAX = 5000
REASONS = ["not_found", "mismatch", "damaged", "expired", "mislocated"]


class SerialsInput(serializers.ListField):
    """The serial numbers of pieces, one for each."""

    def __init__(self, **kwargs: Any) -> None:
        child = TextInput(max_length=60)
        super().__init__(child=child, required=False, max_length=SERIALS_MAX, **kwargs)


class CentsInput(AmountInput):
    """An amount in whole cents, above zero."""

    places = 2

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_zero=False, **kwargs)


class PickedLineInput(StrictSerializer):
    """A line of which less was found than planned, another lot, or another bin. `line` is its id.

    A line picked out of several bins is named once for each. A `reason` with a `bin` says that
    nothing more was found in that bin.

    One that is kept by serial number is always named, with those of the pieces that were picked;
    `missing` are those that were not found or not whole, where others lie there too.
    """

    line = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = QuantityInput(allow_zero=True)
    reason = serializers.ChoiceField(choices=REASONS, required=False)
    lot = TextInput(max_length=40, required=False)
    lot_reason = TextInput(max_length=200, required=False)
    bin = TextInput(max_length=20, required=False)
    serials = SerialsInput()
    missing = SerialsInput()


class PickInput(StrictSerializer):
    """Lines not named were picked in full, unless they are kept by serial number."""

    lines = PickedLineInput(many=True, required=False)


class PackInput(StrictSerializer):
    """Weights of the cartons in kilograms; none means one carton of the computed weight."""

    cartons = serializers.ListField(child=QuantityInput(), required=False, max_length=999)


class ReasonInput(StrictSerializer):
    reason = TextInput()


class NothingInput(StrictSerializer):
    """No fields."""


class PostInvoicesInput(StrictSerializer):
    """Shipments that left, by number; what is invoiced already is passed over."""

    shipments = serializers.ListField(child=TextInput(max_length=20), max_length=500)


class AllocationInput(StrictSerializer):
    invoice = TextInput(max_length=30)
    amount = CentsInput()


class PaymentInput(StrictSerializer):
    """`allocations` name invoices; left out, the oldest due are paid first."""

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    amount = CentsInput()
    reference = TextInput(max_length=100)
    received_date = serializers.DateField()
    allocations = AllocationInput(many=True, required=False)


class AllocateInput(StrictSerializer):
    """`allocations` name invoices; left out, the oldest due are paid first."""

    allocations = AllocationInput(many=True, required=False)


class ReceivedLineInput(StrictSerializer):
    """What came of one line, in base units. `line` is its position on the order.

    A product that is kept by lot comes with its `lot`; what is known of one need not be said again.
    One that is kept by serial number comes with the `serials` of its pieces.
    """

    line = serializers.IntegerField(min_value=1, max_value=32_767)
    quantity = QuantityInput()
    lot = TextInput(max_length=40, required=False)
    expires_on = serializers.DateField(required=False, allow_null=True)
    manufactured_on = serializers.DateField(required=False, allow_null=True)
    supplier_lot = TextInput(max_length=40, required=False, allow_blank=True)
    serials = SerialsInput()


class ReceiveInput(StrictSerializer):
    """What came, or what the supplier sent straight to the customer: then with its `tracking`."""

    lines = ReceivedLineInput(many=True)
    tracking = TextInput(max_length=60, required=False, allow_blank=True)


class ShipmentOutput(serializers.Serializer[Any]):
    """One line of the list of shipments."""

    number = serializers.CharField()
    state = serializers.CharField()
    entity = serializers.CharField()
    node = serializers.CharField()
    order = serializers.CharField()
    carrier = serializers.CharField(allow_null=True)
    planned_date = serializers.DateField()
    promised_date = serializers.DateField(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    tracking_number = serializers.CharField(allow_blank=True)


class InvoiceOutput(serializers.Serializer[Any]):
    """One line of the list of invoices. Amounts are in `currency`."""

    number = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    entity = serializers.CharField()
    customer = serializers.CharField()
    order = serializers.CharField()
    shipment = serializers.CharField()
    currency = serializers.CharField()
    invoice_date = serializers.DateField()
    due_date = serializers.DateField()
    total = serializers.CharField()
    paid = serializers.CharField()


class PaymentOutput(serializers.Serializer[Any]):
    """One payment. Amounts are in `currency`; `unapplied` is on no invoice yet."""

    number = serializers.CharField()
    entity = serializers.CharField()
    customer = serializers.CharField()
    currency = serializers.CharField()
    amount = serializers.CharField()
    unapplied = serializers.CharField()
    reference = serializers.CharField()
    received_date = serializers.DateField()


class EntryOutput(serializers.Serializer[Any]):
    """One journal entry; `cause` is what was posted."""

    id = serializers.IntegerField()
    entity = serializers.CharField()
    kind = serializers.CharField()
    cause = serializers.CharField()
    date = serializers.DateField()
    memo = serializers.CharField(allow_blank=True)


class AccountOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    purpose = serializers.CharField()


class PeriodOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    starts = serializers.DateField()
    ends = serializers.DateField()
    state = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
