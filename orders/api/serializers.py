"""What the resources of orders take and give."""

from typing import Any

from rest_framework import serializers

from erp.api.problems import ErrorDetail, ValidationError
from erp.api.serializers import (
    AmountInput,
    QuantityInput,
    RateInput,
    StrictSerializer,
    TextInput,
)
from orders.models import Customer, Hold, OrderLine, ServingTerms
from orders.models.serving import SOFT
from orders.rules import LINES_MAX

TERMS_MAX = 3_650
PLACES_MAX = 200


class NothingInput(StrictSerializer):
    """No fields."""


class ReasonInput(StrictSerializer):
    reason = TextInput(max_length=200)


class ShipToInput(StrictSerializer):
    """An address, or by `code` one of the customer's."""

    code = TextInput(max_length=40, required=False)
    name = TextInput(required=False)
    address = TextInput(required=False)
    city = TextInput(max_length=100, required=False)
    region = TextInput(max_length=100, required=False)
    postal_code = TextInput(max_length=20, required=False)
    country = TextInput(max_length=60, required=False)


class ConstraintsInput(StrictSerializer):
    """What is left out is as the customer has it.

    Lots keep `min_shelf_days` beyond the promise. Goods leave from `nodes`, from those of
    `entities`, and in `countries`. What `soft` names is tried first, then dropped.
    """

    ship_complete = serializers.BooleanField(required=False)
    no_split = serializers.BooleanField(required=False)
    no_substitutes = serializers.BooleanField(required=False)
    max_nodes = serializers.IntegerField(
        min_value=1, max_value=1_000, required=False, allow_null=True
    )
    min_shelf_days = serializers.IntegerField(
        min_value=0, max_value=TERMS_MAX, required=False, allow_null=True
    )
    substitutes = serializers.ChoiceField(
        choices=ServingTerms.Substitutes.values, required=False, allow_blank=True
    )
    nodes = serializers.ListField(
        child=TextInput(max_length=20), required=False, max_length=PLACES_MAX
    )
    entities = serializers.ListField(
        child=TextInput(max_length=20), required=False, max_length=PLACES_MAX
    )
    countries = serializers.ListField(
        child=TextInput(max_length=2), required=False, max_length=PLACES_MAX
    )
    soft = serializers.ListField(
        child=serializers.ChoiceField(choices=SOFT), required=False, allow_null=True
    )


class LineInput(StrictSerializer):
    """`quantity` in `uom`, else in the base unit; `price` per base unit, else our own."""

    product = TextInput(max_length=40)
    quantity = QuantityInput()
    uom = TextInput(max_length=10, required=False)
    price = AmountInput(required=False)
    discount = RateInput(required=False)
    node = TextInput(max_length=20, required=False)
    disposition = serializers.ChoiceField(choices=OrderLine.Disposition.values, required=False)
    min_shelf_days = serializers.IntegerField(
        min_value=0, max_value=TERMS_MAX, required=False, allow_null=True
    )


class LineChangeInput(LineInput):
    """With `line` (its position) what changes of a line; without it a line that is added.

    `quantity` is what is ordered in all, in the line's own unit; "0" takes it off.
    """

    line = serializers.IntegerField(min_value=1, max_value=LINES_MAX, required=False)
    product = TextInput(max_length=40, required=False)
    quantity = QuantityInput(required=False, allow_zero=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask an added line for its product and quantity.

        Raises:
            ValidationError: it names neither a line nor what to add.
        """
        missing = [n for n in ("product", "quantity") if not attrs.get(n) and "line" not in attrs]
        if missing:
            said = [ErrorDetail("Say which line changes, or what to add.", "required")]
            raise ValidationError(dict.fromkeys(missing, said))
        if "line" in attrs and "product" in attrs:
            said = [ErrorDetail("A line keeps its product: take it off, add another.", "fixed")]
            raise ValidationError({"product": said})
        return attrs


class OrderChangeInput(StrictSerializer):
    """What changes of an order until its goods leave; what is left out stays.

    `lines` that name no `line` replace those of a draft as a whole, and are added to any other
    order. With `revision`, only if nobody changed the order since.
    """

    customer_po = TextInput(max_length=60, required=False)
    external_ref = TextInput(max_length=60, required=False)
    requested_date = serializers.DateField(required=False)
    ship_to = ShipToInput(required=False)
    carrier = TextInput(max_length=20, required=False)
    freight = AmountInput(required=False)
    constraints = ConstraintsInput(required=False)
    lines: Any = LineChangeInput(  # type: ignore[call-arg]
        many=True, required=False, max_length=LINES_MAX, allow_empty=False
    )
    reason = TextInput(max_length=300, required=False)
    revision = serializers.IntegerField(min_value=0, required=False)


class OrderInput(OrderChangeInput):
    """An order. The same `client_key` in one entity is the same order, once.

    `submit` has it checked and released in the same call; `allocate` has stock kept for it as well.
    """

    reason = None  # type: ignore[assignment]
    revision = None  # type: ignore[assignment]
    disposition = serializers.ChoiceField(choices=OrderLine.Disposition.values, required=False)

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    channel = TextInput(max_length=20, required=False)
    currency = TextInput(max_length=3, required=False)
    client_key = TextInput(max_length=255, required=False)
    submit = serializers.BooleanField(required=False)
    allocate = serializers.BooleanField(required=False)
    lines = LineInput(many=True, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]


class BulkOrderInput(OrderInput):
    """One order of many; what is released of it has stock kept by the workers."""

    allocate = None  # type: ignore[assignment]


class CancelLineInput(StrictSerializer):
    """`line` is the position; `quantity` in base units, left out: all that is open."""

    line = serializers.IntegerField(min_value=1, max_value=LINES_MAX)
    quantity = QuantityInput(required=False)


class CancelInput(StrictSerializer):
    """Without `lines` the whole order, or what has not left of it."""

    reason = TextInput(max_length=200)
    lines = CancelLineInput(many=True, required=False, allow_empty=False)


class HoldInput(StrictSerializer):
    """A hold placed by hand."""

    reason = TextInput(max_length=300)


class HoldReleaseInput(ReasonInput):
    """Why a hold is lifted; with `valid_until` the lift is good up to and with that day only."""

    valid_until = serializers.DateField(required=False)


class BulkReleaseInput(HoldReleaseInput):
    """One order of many whose holds (of `kinds` only) are to be lifted."""

    order = TextInput(max_length=20)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=Hold.Kind.choices), required=False, max_length=20
    )


class BulkReevaluateInput(StrictSerializer):
    """One order of many whose checks are asked again."""

    order = TextInput(max_length=20)


class BulkForceInput(ReasonInput):
    """One order of many that only a person lets go on."""

    order = TextInput(max_length=20)


class CustomerInput(StrictSerializer):
    """A customer, with the terms in one entity. Credit takes a permission of its own."""

    code = TextInput(max_length=40)
    name = TextInput()
    entity = TextInput(max_length=20)
    tier = serializers.ChoiceField(choices=Customer.Tier.values, required=False)
    country = TextInput(max_length=60, required=False)
    address = TextInput(required=False)
    city = TextInput(max_length=100, required=False)
    region = TextInput(max_length=100, required=False)
    postal_code = TextInput(max_length=20, required=False)
    contact = TextInput(max_length=120, required=False)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    phone = TextInput(max_length=40, required=False)
    tax_id = TextInput(max_length=40, required=False)
    is_blocked = serializers.BooleanField(required=False)
    constraints = ConstraintsInput(required=False)
    credit_limit = AmountInput(required=False)
    terms_days = serializers.IntegerField(required=False, min_value=0, max_value=TERMS_MAX)
    penalty_rate = RateInput(required=False)


class CustomerChangeInput(CustomerInput):
    """What is left out stays; `entity` says whose terms change, `reason` why."""

    code = None  # type: ignore[assignment]
    reason = TextInput(max_length=300, required=False)
    name = TextInput(required=False, allow_blank=False)
    entity = TextInput(max_length=20, required=False, allow_blank=False)


class AccountHoldInput(StrictSerializer):
    entity = TextInput(max_length=20)
    reason = TextInput(max_length=300)


class AddressInput(StrictSerializer):
    code = TextInput(max_length=40)
    name = TextInput()
    address = TextInput(required=False)
    city = TextInput(max_length=100, required=False)
    region = TextInput(max_length=100, required=False)
    postal_code = TextInput(max_length=20, required=False)
    country = TextInput(max_length=60, required=False)


class PartNumberInput(StrictSerializer):
    """The customer's own number of a product; without one the number is forgotten."""

    code = TextInput(max_length=40, allow_blank=False)
    product = TextInput(max_length=40, required=False)


class BreakInput(StrictSerializer):
    min_quantity = QuantityInput(allow_zero=True)
    unit_price = AmountInput()


class PriceInput(StrictSerializer):
    """What a base unit costs; with `customer` or `group` it is a contract's, else of `price_list`.

    `breaks` replace `unit_price`. `valid_to` is the first day on which it no longer holds. `seen`
    is the `revision` of the price that is replaced, as it was read.
    """

    entity = TextInput(max_length=20)
    product = TextInput(max_length=40)
    customer = TextInput(max_length=40, required=False)
    group = TextInput(max_length=40, required=False)
    price_list = TextInput(max_length=40, required=False)
    uom = TextInput(max_length=10, required=False)
    reason = TextInput(max_length=300, required=False)
    seen = TextInput(max_length=40, required=False)
    currency = TextInput(max_length=3, required=False)
    unit_price = AmountInput(required=False)
    min_quantity = QuantityInput(required=False, allow_zero=True)
    breaks = BreakInput(many=True, required=False, allow_empty=False)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(required=False, allow_null=True)


class OrderSummaryOutput(serializers.Serializer[None]):
    number = serializers.CharField()
    entity = serializers.CharField()
    customer = serializers.CharField()
    customer_po = serializers.CharField()
    channel = serializers.CharField()
    state = serializers.CharField()
    class_code = serializers.CharField()
    priority = serializers.IntegerField()
    currency = serializers.CharField()
    total = serializers.DecimalField(19, 4)
    requested_date = serializers.DateField()
    promised_date = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


class OrderLineOutput(serializers.Serializer[None]):
    line = serializers.IntegerField()
    id = serializers.IntegerField()
    product = serializers.CharField()
    uom = serializers.CharField()
    quantity = serializers.DecimalField(15, 3)
    base_uom = serializers.CharField()
    ordered = serializers.DecimalField(15, 3)
    reserved = serializers.DecimalField(15, 3)
    shipped = serializers.DecimalField(15, 3)
    invoiced = serializers.DecimalField(15, 3)
    cancelled = serializers.DecimalField(15, 3)
    waiting = serializers.DecimalField(15, 3)
    direct = serializers.DecimalField(15, 3)
    unit_price = serializers.DecimalField(19, 4)
    price_source = serializers.CharField()
    discount = serializers.DecimalField(9, 6)
    amount = serializers.DecimalField(19, 4)
    node = serializers.CharField(allow_null=True)
    disposition = serializers.CharField()
    promised_date = serializers.DateField(allow_null=True)


class HoldOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    state = serializers.CharField()
    owner_role = serializers.CharField()
    reason = serializers.CharField()
    policy_version = serializers.CharField()
    placed_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.CharField()
    lift_reason = serializers.CharField()


class OrderOutput(OrderSummaryOutput):
    revision = serializers.IntegerField()
    external_ref = serializers.CharField()
    ship_to = serializers.DictField()
    constraints = serializers.DictField()
    freight = serializers.DecimalField(19, 4)
    subtotal = serializers.DecimalField(19, 4)
    lines = OrderLineOutput(many=True)
    holds = HoldOutput(many=True)


class CustomerOutput(serializers.Serializer[None]):
    code = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.CharField()
    country = serializers.CharField()
    city = serializers.CharField()
    is_blocked = serializers.BooleanField()


class ExposureOutput(serializers.Serializer[None]):
    entity = serializers.CharField()
    currency = serializers.CharField()
    credit_limit = serializers.DecimalField(19, 4)
    exposure = serializers.DecimalField(19, 4)
    available = serializers.DecimalField(19, 4)
    receivable = serializers.DecimalField(19, 4)
    unbilled = serializers.DecimalField(19, 4)
    committed = serializers.DecimalField(19, 4)
    unapplied = serializers.DecimalField(19, 4)
    overdue_amount = serializers.DecimalField(19, 4)
    on_hold = serializers.BooleanField()


class PriceOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    kind = serializers.CharField()
    product = serializers.CharField()
    customer = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    price_list = serializers.CharField(allow_null=True)
    uom = serializers.CharField()
    revision = serializers.CharField()
    currency = serializers.CharField()
    min_quantity = serializers.DecimalField(15, 3)
    unit_price = serializers.DecimalField(19, 4)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
