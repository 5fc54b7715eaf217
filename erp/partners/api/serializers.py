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


class WebhookInput(StrictSerializer):
    """Where to, under which name, of which facts; `entity` is said when it is made."""

    entity = serializers.CharField(max_length=20, required=False)
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, min_length=1, max_length=50
    )


class PauseInput(StrictSerializer):
    paused = serializers.BooleanField()


class ReplayInput(StrictSerializer):
    """Which tellings, by id; or all that were given up since a moment."""

    deliveries = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, max_length=500
    )
    since = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("deliveries" in attrs) == ("since" in attrs):
            raise serializers.ValidationError({"since": "Say either which, or since when."})
        return attrs


class WebhookOutput(serializers.Serializer[Any]):
    """A webhook. `secret` is told once: when it is made and when it is changed."""

    id = serializers.IntegerField()
    entity = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    paused_at = serializers.DateTimeField(allow_null=True)
    former_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    secret = serializers.CharField(required=False)


class TellingOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    event_id = serializers.CharField()
    event = serializers.CharField()
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_said = serializers.CharField()
