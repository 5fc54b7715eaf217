"""What inventory's resources take and give."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import (
    AmountInput,
    ExactInput,
    QuantityInput,
    RateInput,
    StrictSerializer,
    TextInput,
)
from inventory.models import Product

LINES_MAX = 1_000
RATIO_MAX = 2**31 - 1


class WeightInput(ExactInput):
    """Kilograms to a tenth of a gram; zero is allowed."""

    places = 4
    integer_digits = 8

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_zero=True, **kwargs)


class UomInput(StrictSerializer):
    """One unit holds `numerator / denominator` base units."""

    code = TextInput(max_length=10)
    numerator = serializers.IntegerField(min_value=1, max_value=RATIO_MAX)
    denominator = serializers.IntegerField(min_value=1, max_value=RATIO_MAX, default=1)


class ProductInput(StrictSerializer):
    """A product. Without `uoms` its units stay as they are."""

    code = TextInput(max_length=40)
    name = TextInput()
    base_uom = TextInput(max_length=10, required=False, allow_blank=False)
    category = TextInput(max_length=100, required=False)
    tracking = serializers.ChoiceField(choices=Product.Tracking.values, required=False)
    weight = WeightInput(required=False)
    barcode = TextInput(max_length=20, required=False)
    pack_note = TextInput(max_length=100, required=False)
    is_blocked = serializers.BooleanField(required=False)
    is_discontinued = serializers.BooleanField(required=False)
    export_code = TextInput(max_length=20, required=False)
    hazmat_class = TextInput(max_length=10, required=False)
    licence_required = serializers.BooleanField(required=False)
    controlled_share = RateInput(required=False)
    order_min = QuantityInput(required=False, allow_zero=True)
    order_multiple = QuantityInput(required=False, allow_zero=True)
    uoms = UomInput(many=True, required=False)


class ProductPatch(ProductInput):
    """What is to change of a product."""

    code = None  # type: ignore[assignment]
    name = TextInput(required=False, allow_blank=False)


class NodeInput(StrictSerializer):
    """A node. `cutoff` is local time of `time_zone`, such as "15:00"."""

    code = TextInput(max_length=20)
    name = TextInput()
    entity = TextInput(max_length=20)
    country = TextInput(max_length=2, min_length=2)
    city = TextInput(max_length=100, required=False)
    region = TextInput(max_length=100, required=False)
    time_zone = TextInput(max_length=50, required=False, allow_blank=False)
    cutoff = serializers.TimeField(required=False)
    handling_days = serializers.IntegerField(min_value=0, max_value=365, required=False)
    is_active = serializers.BooleanField(required=False)
    lines_per_day = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, allow_null=True
    )


class NodePatch(NodeInput):
    """What is to change of a node."""

    code = None  # type: ignore[assignment]
    entity = None  # type: ignore[assignment]
    name = TextInput(required=False, allow_blank=False)
    country = TextInput(max_length=2, min_length=2, required=False, allow_blank=False)


class CarrierInput(StrictSerializer):
    """A carrier; its rates are in `currency`."""

    code = TextInput(max_length=20)
    name = TextInput()
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    base_rate = AmountInput(required=False)
    rate_per_kg = AmountInput(required=False)
    transit_days = serializers.IntegerField(min_value=0, max_value=365, required=False)
    phone = TextInput(max_length=40, required=False)
    is_active = serializers.BooleanField(required=False)


class CarrierPatch(CarrierInput):
    """What is to change of a carrier."""

    code = None  # type: ignore[assignment]
    name = TextInput(required=False, allow_blank=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)


class WantedLineInput(StrictSerializer):
    """So many base units of a product, at one node or any, by a date or as soon as possible."""

    product = TextInput(max_length=40)
    quantity = QuantityInput()
    node = TextInput(max_length=20, required=False)
    date = serializers.DateField(required=False)


class AvailabilityInput(StrictSerializer):
    entity = TextInput(max_length=20)
    segment = TextInput(max_length=40, required=False)
    lines = serializers.ListField(child=WantedLineInput(), min_length=1, max_length=LINES_MAX)


class UomOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    numerator = serializers.IntegerField()
    denominator = serializers.IntegerField()


class ProductOutput(serializers.Serializer[Any]):
    """A product. `weight` is kilograms per base unit."""

    code = serializers.CharField()
    name = serializers.CharField()
    base_uom = serializers.CharField()
    uoms = UomOutput(many=True)
    category = serializers.CharField(allow_blank=True)
    tracking = serializers.CharField()
    weight = serializers.CharField()
    barcode = serializers.CharField(allow_blank=True)
    pack_note = serializers.CharField(allow_blank=True)
    is_blocked = serializers.BooleanField()
    is_discontinued = serializers.BooleanField()
    export_code = serializers.CharField(allow_blank=True)
    hazmat_class = serializers.CharField(allow_blank=True)
    licence_required = serializers.BooleanField()
    controlled_share = serializers.CharField()
    order_min = serializers.CharField()
    order_multiple = serializers.CharField()


class NodeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    entity = serializers.CharField()
    country = serializers.CharField()
    city = serializers.CharField(allow_blank=True)
    region = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField()
    cutoff = serializers.TimeField()
    handling_days = serializers.IntegerField()
    is_active = serializers.BooleanField()
    lines_per_day = serializers.IntegerField(allow_null=True)


class CarrierOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    base_rate = serializers.CharField()
    rate_per_kg = serializers.CharField()
    transit_days = serializers.IntegerField()
    phone = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()


class StockOutput(serializers.Serializer[Any]):
    """One balance in base units. `entity` owns it; `lot` is null where none is kept.

    Of what is barred (its lot is blocked or has expired) nothing is promised.
    """

    id = serializers.IntegerField()
    entity = serializers.CharField()
    product = serializers.CharField()
    node = serializers.CharField()
    lot = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    on_hand = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    is_barred = serializers.BooleanField()
    reserved = serializers.CharField()
    available = serializers.CharField()


class LotInput(StrictSerializer):
    """Why a lot is stopped or let go; `product` where several have a lot of that code."""

    reason = TextInput(max_length=200)
    product = TextInput(max_length=40, required=False)


class LotOutput(serializers.Serializer[Any]):
    """One batch of one product, good up to and including `expires_on`."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    product = serializers.CharField()
    supplier_lot = serializers.CharField(allow_blank=True)
    manufactured_on = serializers.DateField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    blocked_at = serializers.DateTimeField(allow_null=True)
    block_reason = serializers.CharField(allow_blank=True)
    expired_at = serializers.DateTimeField(allow_null=True)


class SerialOutput(serializers.Serializer[Any]):
    """One piece; `node` and `entity` are empty once it is not the caller's."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    product = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    moved_at = serializers.DateTimeField()
    node = serializers.CharField(allow_blank=True)
    entity = serializers.CharField(allow_blank=True)
    document = serializers.CharField(allow_blank=True)
    document_kind = serializers.CharField(allow_blank=True)
    state = serializers.CharField()


class StockMoveOutput(serializers.Serializer[Any]):
    """One change of one balance, signed; `value` is in the entity's currency."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    entity = serializers.CharField()
    product = serializers.CharField()
    node = serializers.CharField()
    lot = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    quantity = serializers.CharField()
    value = serializers.CharField()
    currency = serializers.CharField()
    cause = serializers.CharField()


class AllocationRunOutput(serializers.Serializer[Any]):
    """One pass of the allocation layer; figures are those of the caller's entities."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    cause = serializers.CharField()
    policy_version = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()
    lines = serializers.IntegerField()
    short = serializers.IntegerField()
    asked = serializers.CharField()
    given = serializers.CharField()
