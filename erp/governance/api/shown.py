"""How policies, their versions and decisions look in answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from erp.governance.documents import named
from erp.governance.models import Policy, PolicyReplayChange, PolicyVersion
from erp.governance.rules.documents import as_yaml
from erp.governance.selectors import named_changes


def document_of(version: PolicyVersion) -> str:
    """Return a version as YAML."""
    return as_yaml(
        {
            "policy": version.policy.code,
            "entity": version.entity.code if version.entity else "",
            "node": version.node,
            "note": version.note,
            "valid_from": version.valid_from if version.author_id else None,
            "valid_until": version.valid_until,
            **version.table,
        }
    )


def policy_shown(policy: Policy) -> dict[str, Any]:
    return {
        "code": policy.code,
        "title": policy.title,
        "facts": policy.fields,
        "outcomes": policy.outcomes,
        "traits": policy.traits,
        "limits": policy.limits,
    }


def version_shown(version: PolicyVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "entity": version.entity.code if version.entity else None,
        "node": version.node,
        "state": str(version.state),
        "note": version.note,
        "author": str(version.author or ""),
        "created_at": version.created_at,
        "submitted_by": str(version.submitted_by or ""),
        "submitted_at": version.submitted_at,
        "activated_by": str(version.activated_by or ""),
        "activated_at": version.activated_at,
        "valid_from": version.valid_from,
        "valid_until": version.valid_until,
        "retired_at": version.retired_at,
        "table": version.table,
    }


def changes_shown(found: Iterable[PolicyReplayChange]) -> list[Mapping[str, Any]]:
    return [
        {
            "subject_kind": each.subject_kind,
            "subject_id": each.subject_id,
            "subject": subject.name,
            "entity": each.entity.code,
            "at": each.at,
            "before": each.before,
            "after": each.after,
            "before_version": each.before_version.number,
            "before_row": each.before_row,
            "after_row": each.after_row,
            "effect": each.effect,
            "customer": each.customer,
            "amount": f"{each.amount:f}" if each.currency else None,
            "currency": each.currency,
        }
        for each, subject in named_changes(found)
    ]


def decisions_shown(found: Iterable[Any]) -> list[Mapping[str, Any]]:
    records = list(found)
    names = named((each.subject_kind, each.subject_id) for each in records)
    return [
        {
            "at": each.at,
            "version": each.version.number,
            "entity": each.entity.code,
            "node": each.node,
            "subject_kind": each.subject_kind,
            "subject_id": each.subject_id,
            "subject": names[each.subject_kind, each.subject_id].name,
            "inputs": each.inputs,
            "outcome": each.outcome,
            "row": each.row,
        }
        for each in records
    ]
