"""Shapes of segments, their members, and what is protected for them."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import QuantityInput, StrictSerializer, TextInput


class SegmentInput(StrictSerializer):
    """A part of demand; `parent` by code. Among siblings the lowest rank is the highest."""

    code = TextInput(max_length=40)
    name = TextInput(max_length=200)
    parent = TextInput(  # type: ignore[assignment]  # the metaclass takes fields out
        max_length=40, required=False, allow_blank=True
    )
    rank = serializers.IntegerField(min_value=0, max_value=999, required=False)
    lends = serializers.BooleanField(required=False)


class SegmentOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    rank = serializers.IntegerField()
    lends = serializers.BooleanField()


class SegmentMemberInput(StrictSerializer):
    """Whose orders are of a segment; an empty segment takes them out."""

    kind = serializers.ChoiceField(choices=["customer", "group", "channel", "entity"])
    code = TextInput(max_length=40)
    segment = TextInput(max_length=40, allow_blank=True)


class SegmentMemberOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    code = serializers.CharField()
    segment = serializers.CharField()


class ProtectionInput(StrictSerializer):
    """What is kept for a segment, in base units, from the first day through the last (UTC)."""

    entity = TextInput(max_length=20)
    segment = TextInput(max_length=40)
    product = TextInput(max_length=40)
    node = TextInput(max_length=20, required=False, allow_blank=True)
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    floor = QuantityInput(allow_zero=True, required=False)
    cap = QuantityInput(allow_zero=True, required=False, allow_null=True)
    reason = TextInput(max_length=200, required=False, allow_blank=True)


class EndProtectionInput(StrictSerializer):
    """The last day on which it is kept; before its first day it never was."""

    last_day = serializers.DateField()
    reason = TextInput(max_length=200, required=False, allow_blank=True)


class ProtectionOutput(serializers.Serializer[Any]):
    """`used` is what the segment was given in the period, `left` what is still kept for it."""

    id = serializers.IntegerField()
    entity = serializers.CharField()
    segment = serializers.CharField()
    product = serializers.CharField()
    uom = serializers.CharField()
    node = serializers.CharField(allow_blank=True)
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    floor = serializers.DecimalField(max_digits=15, decimal_places=3)
    cap = serializers.DecimalField(max_digits=15, decimal_places=3, allow_null=True)
    used = serializers.DecimalField(max_digits=15, decimal_places=3)
    left = serializers.DecimalField(max_digits=15, decimal_places=3)
    reason = serializers.CharField(allow_blank=True)
