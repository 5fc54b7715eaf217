"""Companies as they go in and out."""

import re
from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from erp.api.problems import ErrorDetail, ValidationError
from erp.api.serializers import StrictSerializer, TextInput


class EntityOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    country = serializers.CharField()
    time_zone = serializers.CharField()
    is_active = serializers.BooleanField()


class EntityChange(StrictSerializer):
    name = TextInput(required=False, allow_blank=False)
    country = serializers.RegexField(re.compile("^[A-Z]{2}$"), required=False)
    time_zone = TextInput(required=False, max_length=50)
    is_active = serializers.BooleanField(required=False)

    def validate_time_zone(self, value: str) -> str:
        if value not in available_timezones():
            raise ValidationError(
                [ErrorDetail("Write an IANA zone such as Europe/Berlin.", "zone")]
            )
        return value


class EntityInput(EntityChange):
    code = serializers.RegexField(re.compile("^[A-Z0-9][A-Z0-9-]{1,19}$"))
    name = TextInput()
    currency = serializers.RegexField(re.compile("^[A-Z]{3}$"))
    country = serializers.RegexField(re.compile("^[A-Z]{2}$"))
    time_zone = TextInput(default="UTC", max_length=50)
    is_active = None  # type: ignore[assignment]  # a company that is opened is active
