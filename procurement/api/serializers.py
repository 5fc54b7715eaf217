"""What procurement's resources take and give."""

from rest_framework import serializers

from erp.api.serializers import AmountInput, QuantityInput, StrictSerializer, TextInput

LEAD_TIME_MAX = 3_650
POSITION_MAX = 32_767


class NothingInput(StrictSerializer):
    """No fields."""


class ReasonInput(StrictSerializer):
    reason = TextInput()


class OptionalReasonInput(StrictSerializer):
    reason = TextInput(required=False)


class AcceptInput(StrictSerializer):
    """`quantity` replaces what was proposed, in base units."""

    quantity = QuantityInput(required=False)


class OrderLineInput(StrictSerializer):
    """Quantity in base units. Price and date are those of the supplier's offer when left out."""

    product = TextInput(max_length=40)
    quantity = QuantityInput()
    price = AmountInput(required=False)
    expected_date = serializers.DateField(required=False)


class OrderInput(StrictSerializer):
    """A draft in the entity's currency."""

    entity = TextInput(max_length=20)
    supplier = TextInput(max_length=40)
    node = TextInput(max_length=20)
    lines = OrderLineInput(many=True, max_length=10_000)  # type: ignore[call-arg]


class OrderChangeInput(StrictSerializer):
    """What a draft is rewritten with; what is left out stays, the lines are replaced as a whole."""

    supplier = TextInput(max_length=40, required=False, allow_blank=False)
    node = TextInput(max_length=20, required=False, allow_blank=False)
    lines = OrderLineInput(many=True, max_length=10_000, required=False)  # type: ignore[call-arg]


class LineDateInput(StrictSerializer):
    """`line` is the position on the order."""

    line = serializers.IntegerField(min_value=1, max_value=POSITION_MAX)
    date = serializers.DateField()


class AcknowledgeInput(StrictSerializer):
    """Lines for which the supplier confirmed another date."""

    lines = LineDateInput(many=True, required=False)


class RescheduleInput(StrictSerializer):
    lines = LineDateInput(many=True, allow_empty=False)
    reason = TextInput(required=False)


class SupplierInput(StrictSerializer):
    code = TextInput(max_length=40)
    name = TextInput()
    country = TextInput(max_length=60, required=False)
    region = TextInput(max_length=100, required=False)
    city = TextInput(max_length=100, required=False)
    address = TextInput(required=False)
    postal_code = TextInput(max_length=20, required=False)
    contact = TextInput(max_length=120, required=False)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    phone = TextInput(max_length=40, required=False)
    is_blocked = serializers.BooleanField(required=False)


class SupplierChangeInput(SupplierInput):
    """What is left out stays."""

    code = None  # type: ignore[assignment]
    name = TextInput(required=False, allow_blank=False)


class OfferInput(StrictSerializer):
    """What a supplier asks for a base unit; an offer of the same product is replaced."""

    entity = TextInput(max_length=20)
    supplier = TextInput(max_length=40)
    product = TextInput(max_length=40)
    unit_price = AmountInput()
    moq = QuantityInput(required=False, allow_zero=True)
    multiple = QuantityInput(required=False)
    lead_time_days = serializers.IntegerField(required=False, min_value=0, max_value=LEAD_TIME_MAX)
    rank = serializers.IntegerField(required=False, min_value=1, max_value=99)
    drop_ships = serializers.BooleanField(required=False)


class ProposalOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    node = serializers.CharField()
    product = serializers.CharField()
    supplier = serializers.CharField()
    quantity = serializers.DecimalField(15, 3)
    unit_price = serializers.DecimalField(19, 4)
    currency = serializers.CharField()
    need_by = serializers.DateField()
    reasons = serializers.DictField()
    state = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField()
    decision_reason = serializers.CharField()
    order = serializers.CharField(allow_null=True)


class OrderSummaryOutput(serializers.Serializer[None]):
    number = serializers.CharField()
    entity = serializers.CharField()
    supplier = serializers.CharField()
    node = serializers.CharField()
    state = serializers.CharField()
    currency = serializers.CharField()
    total = serializers.DecimalField(19, 2)
    expected_date = serializers.DateField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class OrderLineOutput(serializers.Serializer[None]):
    line = serializers.IntegerField()
    id = serializers.IntegerField()
    product = serializers.CharField()
    quantity = serializers.DecimalField(15, 3)
    received = serializers.DecimalField(15, 3)
    uom = serializers.CharField()
    unit_price = serializers.DecimalField(19, 4)
    amount = serializers.DecimalField(19, 4)
    expected_date = serializers.DateField()
    proposal = serializers.IntegerField(allow_null=True)


class OrderOutput(OrderSummaryOutput):
    created_by = serializers.CharField()
    submitted_by = serializers.CharField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField()
    approved_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    close_reason = serializers.CharField()
    drop_ship = serializers.BooleanField()
    sales_order = serializers.CharField(allow_null=True)
    ship_to = serializers.DictField(allow_null=True)
    lines = OrderLineOutput(many=True)
