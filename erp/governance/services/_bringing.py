"""Policies that the software brings along, in `<app>/policies/*.toml`."""

import tomllib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Max

from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules import BEGINNING, declared, problems_of, read_limits, read_table
from erp.governance.services._deciding import read_again
from erp.governance.services._versioning import PolicyRefused

DECLARED = ("title", "fields", "outcomes", "traits")


@transaction.atomic
def ensure_builtin_policies(*, now: datetime) -> list[str]:
    """Bring the policies of `<app>/policies/*.toml` into the database; return those that changed.

    A policy nobody wrote a version of gets the shipped table; where the shipped table is in force
    and the software now brings another one, the new one takes its place. What a person put into
    force stays, and so do limits that a person changed. Repeating it changes nothing.

    Raises:
        PolicyRefused: a shipped table has faults: a bug of ours.
    """
    stored = {policy.code: policy for policy in Policy.objects.all()}
    active: dict[int, list[PolicyVersion]] = {}
    for version in PolicyVersion.objects.filter(state="active", entity=None):
        active.setdefault(version.policy_id, []).append(version)
    changed = []
    for shipped in shipped_policies():
        policy = stored.get(shipped["code"]) or Policy(code=shipped["code"])
        _declare(policy, shipped)
        if _ship(policy, active.get(policy.pk, []), shipped["table"], now):
            changed.append(policy.code)
    return changed


def shipped_policies() -> Iterator[dict[str, Any]]:
    """Yield what the installed apps declare in `policies/*.toml`: `declared` and the table."""
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "policies").glob("*.toml")):
            raw = tomllib.loads(path.read_text(), parse_float=Decimal)
            table = {"hit": raw.get("hit", "first"), "rows": raw["rows"]}
            yield {**declared(raw), "table": table}


def _declare(policy: Policy, shipped: dict[str, Any]) -> None:
    said = {name: shipped[name] for name in DECLARED}
    is_changed = said != {name: getattr(policy, name) for name in DECLARED}
    for name, value in said.items():
        setattr(policy, name, value)
    limits = read_limits(shipped["limits"], policy.schema)
    if policy.limits_by_id is None and policy.limits != limits:
        policy.limits, is_changed = limits, True
    if policy.pk is None or is_changed:
        policy.save()


def _ship(policy: Policy, active: list[PolicyVersion], raw: Any, now: datetime) -> bool:
    if any(version.author_id is not None for version in active):
        return False
    if problems := problems_of(raw, policy.schema):
        raise PolicyRefused(problems)
    table = read_table(raw, policy.schema).written()
    if [version.table for version in active] == [table]:
        return False
    for version in active:
        version.retire(at=now)
        version.save(update_fields=["state", "retired_at"])
    last = policy.versions.aggregate(last=Max("number"))["last"] or 0
    version = PolicyVersion(
        policy=policy, number=last + 1, table=table, created_at=now, note="Shipped"
    )
    version.activate(by_id=None, at=now, since=BEGINNING)
    version.save(force_insert=True)
    read_again()
    return True
