"""What the resources of compliance take."""

from rest_framework import serializers

from erp.api.serializers import (
    AmountInput,
    ObjectInput,
    QuantityInput,
    RateInput,
    StrictSerializer,
    TextInput,
)
from orders.models import Certificate, Coverage, Purpose

ENTRIES_MAX = 50_000
CONTENT_MAX = 20_000_000


class CountriesInput(serializers.ListField):
    """ISO 3166 codes of two letters; none: any country."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(child=TextInput(max_length=2), required=False, max_length=260)


class PeriodInput(StrictSerializer):
    """From the first day up to, not with, the last."""

    valid_from = serializers.DateField()
    valid_to = serializers.DateField(required=False, allow_null=True)


class ScopeInput(PeriodInput):
    """What is left out does not matter."""

    code = TextInput(max_length=40)
    name = TextInput()
    jurisdiction = TextInput(max_length=20)
    entity = TextInput(max_length=20)
    coverage = serializers.ChoiceField(choices=Coverage.values, required=False)
    coverage_value = TextInput(max_length=100, required=False)
    sell_to = CountriesInput()
    ship_to = CountriesInput()
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.values), required=False, max_length=20
    )


class RestrictionInput(ScopeInput):
    """`de_minimis`: up to this controlled share it does not apply."""

    de_minimis = RateInput(required=False)
    is_embargo = serializers.BooleanField(required=False)


class ExceptionInput(ScopeInput):
    """`restriction` and `customer` narrow it to one."""

    restriction = TextInput(max_length=40, required=False)
    customer = TextInput(max_length=40, required=False)
    needs_licence = serializers.BooleanField(required=False)


class LicenceInput(PeriodInput):
    """Without `quantity_max` or `value_max` it has no such bound."""

    entity = TextInput(max_length=20)
    number = TextInput(max_length=40)
    jurisdiction = TextInput(max_length=20)
    customer = TextInput(max_length=40, required=False)
    ship_to = CountriesInput()
    export_code = TextInput(max_length=20, required=False)
    currency = TextInput(max_length=3)
    quantity_max = QuantityInput(required=False, allow_zero=True)
    value_max = AmountInput(required=False)


class CertificateInput(PeriodInput):
    """`purpose` belongs to an end use, `hazmat_classes` to dangerous goods."""

    customer = TextInput(max_length=40)
    kind = serializers.ChoiceField(choices=Certificate.Kind.values)
    number = TextInput(max_length=60)
    issuer = TextInput(max_length=120, required=False)
    hazmat_classes = serializers.ListField(
        child=TextInput(max_length=10), required=False, max_length=50
    )
    purpose = serializers.ChoiceField(choices=Purpose.values, required=False)


class PartyListInput(StrictSerializer):
    """A whole list: `entries`, or `content` as CSV or JSON text."""

    list = TextInput(max_length=40)
    name = TextInput(required=False)
    format = serializers.ChoiceField(choices=["csv", "json"], required=False)
    content = TextInput(max_length=CONTENT_MAX, required=False)
    entries = serializers.ListField(child=ObjectInput(), required=False, max_length=ENTRIES_MAX)


class VerdictInput(StrictSerializer):
    reason = TextInput(max_length=300)
