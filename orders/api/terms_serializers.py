"""What the resource of a customer's terms takes and gives."""

from rest_framework import serializers

from erp.api.serializers import AmountInput, RateInput, StrictSerializer, TextInput
from orders.api.serializers import TERMS_MAX
from orders.rules import bank_account_fault


class TermsInput(StrictSerializer):
    """What is asked to be otherwise in one entity; what is left out stays. Days are inclusive."""

    entity = TextInput(max_length=20, allow_blank=False)
    reason = TextInput(max_length=200, allow_blank=False)
    credit_limit = AmountInput(required=False, allow_zero=True)
    terms_days = serializers.IntegerField(required=False, min_value=0, max_value=TERMS_MAX)
    penalty_rate = RateInput(required=False)
    temporary_limit = AmountInput(required=False, allow_zero=True)
    temporary_from = serializers.DateField(required=False, allow_null=True)
    temporary_until = serializers.DateField(required=False, allow_null=True)
    limit_until = serializers.DateField(required=False, allow_null=True)
    order_limit = AmountInput(required=False, allow_zero=True)
    insured_amount = AmountInput(required=False, allow_zero=True)
    insured_until = serializers.DateField(required=False, allow_null=True)
    agreed_terms_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=TERMS_MAX
    )
    tax_id = TextInput(max_length=40, required=False)
    bank_account = TextInput(max_length=34, required=False)

    def validate_bank_account(self, value: str) -> str:
        """Keep letters and digits, in capitals."""
        text = "".join(value.upper().split())
        said = bank_account_fault(text)
        if said:
            raise serializers.ValidationError(said)
        return text


class TermsOutput(serializers.Serializer[dict[str, object]]):
    """All that stands of one account; `bank_account` shows its last four signs alone."""

    entity = serializers.CharField()
    currency = serializers.CharField()
    credit_limit = serializers.CharField()
    terms_days = serializers.IntegerField()
    penalty_rate = serializers.CharField()
    temporary_limit = serializers.CharField()
    temporary_from = serializers.DateField(allow_null=True)
    temporary_until = serializers.DateField(allow_null=True)
    limit_until = serializers.DateField(allow_null=True)
    order_limit = serializers.CharField()
    insured_amount = serializers.CharField()
    insured_until = serializers.DateField(allow_null=True)
    agreed_terms_days = serializers.IntegerField(allow_null=True)
    tax_id = serializers.CharField()
    bank_account = serializers.CharField()
    change_requests = serializers.ListField(child=serializers.DictField())
