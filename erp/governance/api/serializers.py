"""What governance's resources take and give."""

from rest_framework import serializers

from erp.accounts.models import Role
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
    """A draft of the table: of one entity (and node), or of all where `entity` is left out."""

    entity = TextInput(max_length=20, required=False, allow_blank=False)
    node = TextInput(max_length=20, required=False)
    table = ObjectInput()
    note = TextInput(max_length=300, required=False)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    valid_until = serializers.DateTimeField(required=False, allow_null=True)


class EditInput(StrictSerializer):
    """What a draft becomes; what is left out stays."""

    table = ObjectInput(required=False)
    note = TextInput(max_length=300, required=False)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)
    valid_until = serializers.DateTimeField(required=False, allow_null=True)


class ActivateInput(StrictSerializer):
    """When it is in force; what is left out is what the author proposed."""

    valid_from = serializers.DateTimeField(required=False)
    valid_until = serializers.DateTimeField(required=False)


class LintInput(StrictSerializer):
    table = ObjectInput()
    entity = TextInput(max_length=20, required=False, allow_blank=False)
    node = TextInput(max_length=20, required=False)


class ReplayInput(StrictSerializer):
    days = serializers.IntegerField(min_value=1, max_value=366, required=False)


class DocumentInput(StrictSerializer):
    """A version as YAML, as `export` writes it."""

    yaml = serializers.CharField(max_length=1_000_000, trim_whitespace=False)


class LimitsInput(StrictSerializer):
    limits = ObjectInput()


class HeadInput(StrictSerializer):
    """One head as it was kept: the chain's name, the seal's number, the hash in hex."""

    chain = TextInput(max_length=20)
    number = serializers.IntegerField(min_value=1, max_value=NUMBER_MAX)
    head = TextInput(max_length=64)
    upto = serializers.IntegerField(required=False, min_value=0)


class VerifyInput(StrictSerializer):
    """Heads that somebody kept elsewhere, to be found again."""

    heads = HeadInput(many=True, required=False)


class VerdictInput(StrictSerializer):
    """What somebody says about one request of a bulk; a refusal needs a reason."""

    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    action = serializers.ChoiceField(choices=["approve", "reject"])
    fingerprint = TextInput(max_length=64, required=False)
    reason = TextInput(max_length=300, required=False)


class PassOnInput(StrictSerializer):
    """To whom one request is passed on (a username), and until when; two weeks if left out."""

    to = TextInput(max_length=150)
    until = serializers.DateTimeField(required=False)
    reason = TextInput(max_length=200, required=False)


class DelegationInput(StrictSerializer):
    """Who decides for whom (usernames; for oneself if `delegator` is left out), where and when."""

    entity = TextInput(max_length=20)
    to = TextInput(max_length=150)
    delegator = TextInput(max_length=150, required=False)
    role = serializers.ChoiceField(choices=Role.values, required=False)
    starts_at = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField()
    reason = TextInput(max_length=200, required=False)


class AbsenceInput(StrictSerializer):
    """From when until when somebody is away; now if `starts_at` is left out."""

    user = TextInput(max_length=150, required=False)
    starts_at = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField()
    reason = TextInput(max_length=200, required=False)


class EffectOutput(serializers.Serializer[None]):
    kind = serializers.ChoiceField(choices=["change", "loser", "money"])
    text = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()


class StepOutput(serializers.Serializer[None]):
    number = serializers.IntegerField()
    permission = serializers.CharField()
    role = serializers.CharField()
    escalated_to = serializers.CharField()
    rule = serializers.CharField()
    state = serializers.CharField()
    opened_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField()
    on_behalf_of = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    stranded = serializers.CharField()


class DelegationOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    delegator = serializers.CharField()
    to = serializers.CharField()
    role = serializers.CharField()
    approval = serializers.IntegerField(allow_null=True)
    starts_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reason = serializers.CharField()
    state = serializers.CharField()


class AbsenceOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    user = serializers.CharField()
    starts_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reason = serializers.CharField()
    is_over = serializers.BooleanField()


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
    may_decide = serializers.BooleanField()
    acting_for = serializers.CharField()
    is_automatic = serializers.BooleanField()
    matrix_version = serializers.CharField()
    facts = serializers.DictField()
    effects = EffectOutput(many=True)
    steps = StepOutput(many=True)
    due_at = serializers.DateTimeField(allow_null=True)
    stranded = serializers.CharField()


class PolicyOutput(serializers.Serializer[None]):
    code = serializers.CharField()
    title = serializers.CharField()
    facts = serializers.DictField()
    outcomes = serializers.DictField()
    traits = serializers.DictField()
    limits = serializers.DictField()


class VersionOutput(serializers.Serializer[None]):
    number = serializers.IntegerField()
    entity = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    note = serializers.CharField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    activated_by = serializers.CharField()
    activated_at = serializers.DateTimeField(allow_null=True)
    node = serializers.CharField()
    submitted_by = serializers.CharField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    table = serializers.DictField()


class AuditOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    entity = serializers.CharField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    actor_kind = serializers.CharField()
    on_behalf_of = serializers.CharField(allow_null=True)
    action = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.IntegerField()
    thread = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    reason = serializers.CharField()
    request_id = serializers.CharField()
    policy_version = serializers.CharField()


class HeadOutput(serializers.Serializer[None]):
    chain = serializers.CharField()
    number = serializers.IntegerField()
    head = serializers.CharField()
    upto = serializers.IntegerField()


class HeadsOutput(serializers.Serializer[None]):
    heads = HeadOutput(many=True)


class BrokenOutput(serializers.Serializer[None]):
    kind = serializers.CharField()
    entry_id = serializers.IntegerField()
    seal = serializers.IntegerField(allow_null=True)
    chain = serializers.CharField()


class ChainOutput(serializers.Serializer[None]):
    is_whole = serializers.BooleanField()
    sealed = serializers.IntegerField()
    unsealed = serializers.IntegerField()
    seals = serializers.IntegerField()
    heads = HeadOutput(many=True)
    broken = BrokenOutput(many=True)


class MitigationInput(StrictSerializer):
    """Why a person (by user name) may hold the permissions `one` and `other` until a moment."""

    person = TextInput(max_length=150)
    entity = TextInput(max_length=20)
    one = TextInput(max_length=100)
    other = TextInput(max_length=100)
    reason = TextInput(max_length=300)
    until = serializers.DateTimeField()


class MitigatedOutput(serializers.Serializer[None]):
    id = serializers.IntegerField()
    until = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class PairOutput(serializers.Serializer[None]):
    one = serializers.CharField()
    other = serializers.CharField()
    risk = serializers.CharField()
    why = serializers.CharField()
    assigning = serializers.CharField()


class ConflictOutput(PairOutput):
    person = serializers.CharField()
    entity = serializers.CharField()
    through = serializers.ListField(child=serializers.CharField())
    counts = serializers.BooleanField()
    mitigation_id = serializers.IntegerField(allow_null=True)
    mitigation = serializers.CharField()
    mitigated_by = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class ConflictsOutput(serializers.Serializer[None]):
    results = ConflictOutput(many=True)


class RoleConflictOutput(PairOutput):
    role = serializers.CharField()


class RoleConflictsOutput(serializers.Serializer[None]):
    results = RoleConflictOutput(many=True)


class AgreementOutput(serializers.Serializer[None]):
    approver = serializers.CharField()
    asker = serializers.CharField()
    times = serializers.IntegerField()
    amounts = serializers.DictField(child=serializers.CharField())


class RingOutput(serializers.Serializer[None]):
    people = serializers.ListField(child=serializers.CharField())
    times = serializers.IntegerField()
    agreements = AgreementOutput(many=True)


class RingsOutput(serializers.Serializer[None]):
    days = serializers.IntegerField()
    results = RingOutput(many=True)


class ErasureInput(StrictSerializer):
    """Whose personal data: `kind` of the record (orders.customer) and its code."""

    kind = TextInput(max_length=30)
    code = TextInput(max_length=40)
    entity = TextInput(max_length=20)
    reason = TextInput(max_length=200)


class ErasureOutput(serializers.Serializer[None]):
    approval = serializers.IntegerField()
    state = serializers.CharField()
