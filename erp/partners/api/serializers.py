"""What the imports resource takes and tells."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import StrictSerializer
from erp.partners.rules.columns import KINDS


class ImportInput(StrictSerializer):
    """A multipart form: the entity, one of `kind` and `profile`, and the files."""

    entity = serializers.CharField(max_length=20)
    kind = serializers.ChoiceField(choices=sorted(KINDS), required=False)
    profile = serializers.CharField(max_length=60, required=False)
    files = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=20)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("kind" in attrs) == ("profile" in attrs):
            raise serializers.ValidationError({"kind": "Say either the kind or the profile."})
        return attrs


class NothingInput(StrictSerializer):
    """A command without a body."""


class ImportOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    kind = serializers.CharField()
    profile = serializers.CharField()
    state = serializers.CharField()
    rows_total = serializers.IntegerField()
    rows_done = serializers.IntegerField()
    rows_wrong = serializers.IntegerField()
    created_count = serializers.IntegerField()
    updated_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    message = serializers.CharField()


class ProgressOutput(serializers.Serializer[Any]):
    state = serializers.CharField()
    rows_total = serializers.IntegerField()
    rows_done = serializers.IntegerField()
    share = serializers.CharField()


class IssueOutput(serializers.Serializer[Any]):
    file = serializers.CharField()
    row = serializers.IntegerField()
    column = serializers.CharField()
    message = serializers.CharField()
