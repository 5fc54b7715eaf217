"""What governance's resources take and give."""

from rest_framework import serializers

from erp.api.serializers import ObjectInput, StrictSerializer, TextInput

NUMBER_MAX = 2**31 - 1


class NothingInput(StrictSerializer):
    """No fields."""


class ApproveInput(StrictSerializer):
    """`fingerprint`, where it is sent, is that of the document as the approver saw it."""

    fingerprint = TextInput(max_length=64, required=False)


class ReasonInput(StrictSerializer):
    reason = TextInput(max_length=300)


class VersionInput(StrictSerializer):
    """A draft of the table: of one entity, or of all where `entity` is left out."""

    entity = TextInput(max_length=20, required=False, allow_blank=False)
    table = ObjectInput()
    note = TextInput(max_length=300, required=False)


class LintInput(StrictSerializer):
    table = ObjectInput()


class ApprovalOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    document_kind = serializers.CharField()
    document_id = serializers.IntegerField()
    document = serializers.CharField()
    permission = serializers.CharField()
    role = serializers.CharField()
    amount = serializers.DecimalField(19, 4)
    currency = serializers.CharField()
    consequence = serializers.CharField()
    fingerprint = serializers.CharField()
    state = serializers.CharField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    policy_version = serializers.CharField()
    is_own = serializers.BooleanField()


class PolicyOutput(serializers.Serializer[None]):
    code = serializers.CharField()
    title = serializers.CharField()
    facts = serializers.DictField()
    outcomes = serializers.DictField()


class VersionOutput(serializers.Serializer[None]):
    number = serializers.IntegerField()
    entity = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    note = serializers.CharField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    activated_by = serializers.CharField()
    activated_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    table = serializers.DictField()


class AuditOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    entity = serializers.CharField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    actor_kind = serializers.CharField()
    action = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.IntegerField()
    thread = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    reason = serializers.CharField()
    request_id = serializers.CharField()
    policy_version = serializers.CharField()
