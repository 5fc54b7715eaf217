"""What the resource of exceptions takes and shows."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from erp.api.serializers import AmountInput, StrictSerializer, TextInput
from erp.governance.selectors import TimelineRow
from exceptions.models import ExceptionCase, WaitingOn
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.rules.plays import Play
from exceptions.selectors import Analytics, Automation, Handled, RequestRow, label_of
from exceptions.services import COMMENT_MAX


class FilterInput(StrictSerializer):
    """`query`: view, queue, type, severity, q, sort. With a role it is shared in the entity."""

    name = TextInput(max_length=60)
    query = serializers.DictField(child=serializers.CharField(max_length=80, allow_blank=True))
    entity = serializers.CharField(max_length=20, required=False)
    role = serializers.CharField(max_length=30, required=False)


class OpenWithInput(StrictSerializer):
    default = serializers.BooleanField()


class FilterOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    query = serializers.DictField(child=serializers.CharField())
    role = serializers.CharField()
    entity = serializers.CharField()
    owner = serializers.CharField()
    own = serializers.BooleanField()
    default = serializers.BooleanField()


class ShiftInput(StrictSerializer):
    """`weekdays`: seven marks from Monday; hours are local to the entity."""

    entity = serializers.CharField(max_length=20)
    role = serializers.CharField(max_length=30)
    user = serializers.CharField(max_length=150, required=False)
    weekdays = serializers.RegexField(r"^[01]{7}$")
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    valid_from = serializers.DateField(required=False)
    valid_until = serializers.DateField(required=False)


class ShiftOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    entity = serializers.CharField()
    role = serializers.CharField()
    user = serializers.CharField()
    weekdays = serializers.CharField()
    starts = serializers.CharField()
    ends = serializers.CharField()
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)


class NothingInput(StrictSerializer):
    """No fields."""


class ReasonInput(StrictSerializer):
    reason = TextInput(max_length=300)


class CommentInput(StrictSerializer):
    text = TextInput(max_length=COMMENT_MAX)


class AssignInput(StrictSerializer):
    """A person by user name, or none to hand it back; `queue` is a role."""

    owner = TextInput(required=False, allow_null=True, max_length=150)
    queue = TextInput(required=False, max_length=30)


class WaitInput(StrictSerializer):
    """On whom it waits, until when we ask again, and what for."""

    on = serializers.ChoiceField(choices=WaitingOn.choices)
    until = serializers.DateTimeField()
    reason = TextInput(max_length=300)


class SnoozeInput(StrictSerializer):
    """Until when it is out of its owner's sight; null shows it again."""

    until = serializers.DateTimeField(allow_null=True)


class WatchInput(StrictSerializer):
    watching = serializers.BooleanField(default=True)


class MergeInput(StrictSerializer):
    """The cases that have the same cause as the one they are sent to."""

    cases = serializers.ListField(
        child=serializers.IntegerField(min_value=1), min_length=1, max_length=500
    )
    reason = TextInput(required=False, max_length=300)


class BulkInput(StrictSerializer):
    """One case of many, and what is done with it."""

    id = serializers.IntegerField(min_value=1)
    act = serializers.ChoiceField(choices=["take", "acknowledge", "assign", "dismiss"])
    owner = TextInput(required=False, allow_null=True, max_length=150)
    queue = TextInput(required=False, max_length=30)
    reason = TextInput(required=False, max_length=300)


class RunInput(StrictSerializer):
    """`quoted` is the cost that was shown; if the play has become dearer it is refused."""

    quoted = AmountInput(required=False)


class UndoInput(StrictSerializer):
    """Why a way out is undone."""

    reason = TextInput(max_length=300)


class CaseOutput(serializers.Serializer[Any]):
    """One case. `expected_loss` is in `currency`."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    subject = serializers.CharField(help_text="`kind:id` of what it is about")
    subject_label = serializers.CharField()
    entity = serializers.CharField()
    order = serializers.CharField(allow_null=True)
    party = serializers.CharField()
    tier = serializers.CharField()
    summary = serializers.CharField()
    severity = serializers.IntegerField(min_value=1, max_value=4)
    expected_loss = serializers.CharField()
    currency = serializers.CharField()
    reasons = serializers.DictField()
    policy_version = serializers.CharField()
    queue = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    opened_at = serializers.DateTimeField()
    acknowledge_by = serializers.DateTimeField()
    resolve_by = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolution = serializers.CharField()
    waiting_on = serializers.CharField(help_text="whom it waits on; empty: nobody")
    follow_up_at = serializers.DateTimeField(allow_null=True)
    clock_stopped_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    start_by = serializers.DateTimeField(allow_null=True)
    worked_minutes = serializers.IntegerField(allow_null=True)
    escalation_level = serializers.IntegerField()
    reopened_count = serializers.IntegerField()
    parent = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]


def shown(case: ExceptionCase) -> dict[str, Any]:
    """Return a case as `CaseOutput` describes it."""
    plain = (
        "id", "type", "subject_label", "party", "tier", "summary", "severity", "currency",
        "reasons", "policy_version", "queue", "opened_at", "acknowledge_by", "resolve_by",
        "acknowledged_at", "resolved_at", "resolution", "escalation_level", "reopened_count",
        "waiting_on", "follow_up_at", "clock_stopped_at", "snoozed_until", "start_by",
        "worked_minutes",
    )  # fmt: skip
    return {name: getattr(case, name) for name in plain} | {
        "label": label_of(case.type),
        "subject": f"{case.subject_kind}:{case.subject_id}",
        "entity": case.entity.code,
        "order": case.order.number if case.order else None,
        "expected_loss": money(case.expected_loss),
        "owner": case.owner.username if case.owner else None,
        "state": str(case.state),
        "parent": case.parent_id,
    }


def analysed(found: Analytics) -> dict[str, Any]:
    """Return how cases were handled: minutes, shares from 0 to 1, loss in about US dollars."""
    return {
        "from": found.since,
        "to": found.until,
        "by": found.by,
        "whole": _handled(found.whole),
        "groups": [_handled(one) for one in found.groups],
        "weeks": [_handled(one) for one in found.weeks],
        "causes": [
            {"type": one.type, "label": one.label, "cases": one.cases, "causes": one.causes,
             "expected_loss_usd": money(one.rank), "share_so_far": ratio(one.upto)}
            for one in found.causes
        ],
        "costs": [
            {"currency": currency, "cost": money(cost), "plays": plays}
            for currency, cost, plays in found.costs
        ],
    }  # fmt: skip


def _handled(one: Handled) -> dict[str, Any]:
    counts = ("key", "label", "opened", "live", "resolved", "dismissed", "alone", "reopened",
              "breached")  # fmt: skip
    times = ("seen_p50", "seen_p90", "worked_p50", "worked_p90")
    rates = ("breach_rate", "reopen_rate", "alone_rate")
    found: dict[str, Any] = {name: getattr(one, name) for name in counts}
    for name in times:
        value = getattr(one, name)
        found[f"{name}_minutes"] = None if value is None else round(value)
    found |= {name: ratio(getattr(one, name)) for name in rates}
    return found | {"expected_loss_usd": money(one.rank)}


def ratio(share: Decimal) -> str:
    return f"{share:.4f}"


def shown_play(play: Play) -> dict[str, Any]:
    """Return a way out as the API shows it."""
    return {
        "key": play.key,
        "title": play.title,
        "detail": play.detail,
        "cost": money(play.cost),
        "currency": play.currency,
        "new_date": play.new_date,
        "p90_date": play.p90_date,
        "margin": None if play.margin is None else money(play.margin),
        "score": money(play.score),
        "reasons": play.reasons,
        "undo": PLAY_KINDS[play.key.partition(".")[0]].undo,
        "who_loses": [
            {"name": one.name, "what": one.what, "amount": money(one.amount)} for one in play.losers
        ],
        "gate": play.gate,
        "allowed": not play.barred,
        "refusal": play.barred,
    }


def shown_request(row: RequestRow) -> dict[str, Any]:
    """Return a way out that was asked for as the API shows it."""
    return {
        "id": row.id,
        "key": row.key,
        "title": row.title,
        "cost": money(row.cost),
        "currency": row.currency,
        "who_loses": list(row.losers),
        "requested_by": row.asked_by,
        "requested_at": row.asked_at,
        "state": row.state,
        "outcome": row.outcome,
        "settled_at": row.settled_at,
        "may_agree": list(row.may_agree),
        "approval": row.approval.id if row.approval else None,
        "fingerprint": row.approval.fingerprint if row.approval else "",
        "may_decide": bool(row.approval and row.approval.may_decide),
    }


def shown_automation(found: Automation | None) -> dict[str, Any]:
    """Return what the house would do by itself as the API shows it; nothing offered is `human`."""
    return {
        "mode": found.mode if found else "human",
        "play": found.play if found else "",
        "policy_version": found.policy_version if found else "",
        "row": found.row if found else None,
        "why": found.why if found else "",
    }


def shown_entry(row: TimelineRow) -> Mapping[str, Any]:
    """Return one entry of the audit trail as the API shows it."""
    return {
        "at": row.at,
        "actor": row.actor_name,
        "action": row.action,
        "reason": row.reason,
        "before": row.before,
        "after": row.after,
        "subject": f"{row.subject_kind}:{row.subject_id}",
        "policy_version": row.policy_version,
    }


def money(amount: Decimal) -> str:
    return f"{amount:f}"
