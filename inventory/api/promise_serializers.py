"""What the resources of promising take and give."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import AmountInput, StrictSerializer, TextInput
from inventory.models import Substitute

DAYS_MAX = 3_660


class CalendarDayInput(StrictSerializer):
    """One day that is not as the week says."""

    date = serializers.DateField()
    is_working = serializers.BooleanField(required=False, default=False)
    name = TextInput(max_length=100, required=False, default="", allow_blank=True)


class CalendarInput(StrictSerializer):
    """A calendar. `weekdays` is seven digits from Monday; without `days` they stay as they are."""

    code = TextInput(max_length=20)
    name = TextInput(max_length=200)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, allow_blank=True)
    weekdays = serializers.RegexField(r"^[01]{7}$", required=False)
    cutoff = serializers.TimeField(required=False, allow_null=True)
    days = serializers.ListField(child=CalendarDayInput(), required=False, max_length=DAYS_MAX)


class CalendarPatch(CalendarInput):
    """What is to change of a calendar."""

    code = None  # type: ignore[assignment]
    name = TextInput(max_length=200, required=False, allow_blank=False)


class Codes(serializers.ListField):
    """Codes of those who follow, at most a thousand."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"required": False, "max_length": 1_000} | kwargs
        super().__init__(child=TextInput(max_length=40), **kwargs)


class FollowersInput(StrictSerializer):
    """Who follows a calendar, or follows it no more, by code."""

    nodes = Codes()
    carriers = Codes()
    suppliers = Codes()
    customers = Codes()


class CalendarDayOutput(serializers.Serializer[Any]):
    date = serializers.DateField()
    is_working = serializers.BooleanField()
    name = serializers.CharField(allow_blank=True)


class CalendarOutput(serializers.Serializer[Any]):
    """A calendar with the days that are not as its week says."""

    code = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    weekdays = serializers.CharField()
    cutoff = serializers.TimeField(allow_null=True)
    days = CalendarDayOutput(many=True)


class LaneInput(StrictSerializer):
    """A way between two nodes: `days` working days, and what a truck costs."""

    origin = TextInput(max_length=20)
    destination = TextInput(max_length=20)
    days = serializers.IntegerField(min_value=0, max_value=365, required=False)
    cost = AmountInput(required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$")


class LaneOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    origin = serializers.CharField()
    destination = serializers.CharField()
    days = serializers.IntegerField()
    cost = serializers.CharField()
    currency = serializers.CharField()


class SubstituteInput(StrictSerializer):
    """`per` base units of `other` may go out for `units` of `product`, in whole exchanges."""

    product = TextInput(max_length=40)
    other = TextInput(max_length=40)
    units = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    per = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    rank = serializers.IntegerField(min_value=0, max_value=32_000, required=False)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True)
    reason = TextInput(max_length=200, required=False)
    consent = serializers.ChoiceField(choices=Substitute.Consent.values, required=False)
    price_rule = serializers.ChoiceField(choices=Substitute.PriceRule.values, required=False)


class SubstituteOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    product = serializers.CharField()
    other = serializers.CharField()
    units = serializers.IntegerField()
    per = serializers.IntegerField()
    rank = serializers.IntegerField()
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    consent = serializers.CharField()
    price_rule = serializers.CharField()
