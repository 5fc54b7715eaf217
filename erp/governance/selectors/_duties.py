"""Who holds conflicting duties, and through what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import permutations
from typing import Any

from django.db.models import Q

from erp.accounts.models import Entity, User
from erp.governance.models import DutyMitigation, PolicyVersion
from erp.governance.rules import Schema, compile_table, read_table
from erp.kernel.sql import records, rows

PAIRS = "governance.duty_pairs"
CONFLICTS_MAX = 1_000

# Each person (all accounts of one employee) beside each of the asked permissions, by entity.
HELD = """
    SELECT coalesce(nullif(u.employee_ref, ''), '#' || u.id) AS person, r.entity_id,
           held.permission,
           array_agg(DISTINCT u.id) AS accounts,
           array_agg(DISTINCT u.username || ' · ' || r.role) AS through
    FROM accounts_user u
    JOIN (
        SELECT a.user_id, a.entity_id, a.role::text AS role FROM accounts_roleassignment a
        WHERE (a.valid_until IS NULL OR a.valid_until > %(now)s)
        UNION
        SELECT s.id, e.id, 'superuser' FROM accounts_user s CROSS JOIN accounts_entity e
        WHERE s.is_superuser
        UNION
        SELECT %(extra_user)s::bigint, %(extra_entity)s::bigint, %(extra_role)s::text
    ) AS r ON r.user_id = u.id
    CROSS JOIN LATERAL (
        SELECT ct.app_label || '.' || p.codename AS permission
        FROM auth_group g
        JOIN auth_group_permissions gp ON gp.group_id = g.id
        JOIN auth_permission p ON p.id = gp.permission_id
        JOIN django_content_type ct ON ct.id = p.content_type_id
        WHERE g.name = r.role
        UNION
        SELECT unnest(%(asked)s::text[]) WHERE r.role = 'superuser'
    ) AS held
    WHERE u.is_active AND r.entity_id = ANY(%(entities)s) AND held.permission = ANY(%(asked)s)
      AND (%(person)s = '' OR coalesce(nullif(u.employee_ref, ''), '#' || u.id) = %(person)s)
    GROUP BY 1, 2, 3
"""
ROLES = """
    SELECT g.name, array_agg(ct.app_label || '.' || p.codename)
    FROM auth_group g
    JOIN auth_group_permissions gp ON gp.group_id = g.id
    JOIN auth_permission p ON p.id = gp.permission_id
    JOIN django_content_type ct ON ct.id = p.content_type_id
    WHERE ct.app_label || '.' || p.codename = ANY(%(asked)s)
    GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class DutyPair:
    """Two permissions that are to be kept apart; `one` comes first in the alphabet."""

    one: str
    other: str
    risk: str
    why: str
    assigning: str

    @property
    def one_said(self) -> str:
        """Return the first as a person says it: `orders.submit_order` is "submit order"."""
        return self.one.rpartition(".")[2].replace("_", " ")

    @property
    def other_said(self) -> str:
        return self.other.rpartition(".")[2].replace("_", " ")


@dataclass(frozen=True, slots=True)
class DutyConflictRow:
    """One person who holds both of a pair in one entity. `through` are accounts and their roles.

    `mitigation` says why it is borne, by whom and until when; empty where it counts.
    """

    person: str
    name: str
    account_ids: Sequence[int]
    entity_id: int
    entity_code: str
    pair: DutyPair
    through: Sequence[str]
    mitigation_id: int | None = None
    mitigation: str = ""
    mitigated_by: str = ""
    until: datetime | None = None

    @property
    def counts(self) -> bool:
        return self.mitigation_id is None


@dataclass(frozen=True, slots=True)
class RoleConflict:
    """A role that holds both of a pair by itself."""

    role: str
    pair: DutyPair


def duty_pairs(*, entity_id: int | None, now: datetime) -> list[DutyPair]:
    """Return the conflicting pairs by the table in force: the entity's own, else everybody's."""
    within = Q(entity=None) | Q(entity_id=entity_id)
    begun = Q(valid_from=None) | Q(valid_from__lte=now)
    not_over = Q(valid_until=None) | Q(valid_until__gt=now)
    version = (
        PolicyVersion.objects.filter(within, begun, not_over, policy__code=PAIRS, node="")
        .filter(state=PolicyVersion.State.ACTIVE)
        .select_related("policy")
        .order_by("entity_id")  # null comes last
        .first()
    )
    if version is None:
        return []
    table = read_table(version.table, Schema(version.policy.fields, version.policy.outcomes))
    compiled = compile_table(table)
    named = sorted({name for row in table.rows for c in row.when for name in _texts(c.operand)})
    asked = list(permutations(named, 2))
    answers = compiled.answers([{"one": one, "other": other} for one, other in asked])
    found: dict[tuple[str, str], DutyPair] = {}
    for (one, other), answer in zip(asked, answers, strict=True):
        for number in answer[:1]:
            said = compiled.outcomes[number]
            first, second = sorted((one, other))
            found.setdefault(
                (first, second),
                DutyPair(
                    first, second, str(said["risk"]), str(said["why"]), str(said["assigning"])
                ),
            )
    return [found[key] for key in sorted(found)]


def duty_conflicts(
    *,
    entity_ids: Collection[int],
    now: datetime,
    user: User | None = None,
    with_role: tuple[int, str] | None = None,
) -> list[DutyConflictRow]:
    """Return who holds conflicting duties in these entities, at most a thousand; theirs for `user`.

    `with_role` (entity, role) asks what `user` would hold with that role too. Roles that begin
    later count already. A mitigation that has ended counts no more.
    """
    found: list[DutyConflictRow] = []
    codes = dict(Entity.objects.filter(pk__in=entity_ids).values_list("pk", "code"))
    for entity_id, code in sorted(codes.items(), key=lambda each: each[1]):
        pairs = duty_pairs(entity_id=entity_id, now=now)
        held = _held(entity_id, pairs, now, user, with_role)
        for person, permissions in sorted(held.items()):
            found += [
                _row(person, entity_id, code, pair, permissions)
                for pair in pairs
                if pair.one in permissions and pair.other in permissions
            ]
    return _borne(_named(found[:CONFLICTS_MAX]), now)


def role_conflicts(*, entity_id: int | None, now: datetime) -> list[RoleConflict]:
    """Return the roles that hold a conflicting pair by themselves, by the table in force."""
    pairs = duty_pairs(entity_id=entity_id, now=now)
    asked = sorted({name for pair in pairs for name in (pair.one, pair.other)})
    roles = rows(ROLES, {"asked": asked})
    return [
        RoleConflict(role, pair)
        for role, held in roles
        for pair in pairs
        if pair.one in held and pair.other in held
    ]


def person_key(user: User) -> str:
    """Return what is equal on all accounts of one person."""
    return user.employee_ref or f"#{user.pk}"


def _texts(operand: Any) -> Collection[str]:
    found = operand if isinstance(operand, tuple) else (operand,)
    return [each for each in found if isinstance(each, str)]


def _held(
    entity_id: int,
    pairs: Sequence[DutyPair],
    now: datetime,
    user: User | None,
    with_role: tuple[int, str] | None,
) -> dict[str, dict[str, Mapping[str, Any]]]:
    extra = with_role if with_role and with_role[0] == entity_id else None
    asked = {
        "entities": [entity_id],
        "asked": sorted({name for pair in pairs for name in (pair.one, pair.other)}),
        "now": now,
        "person": person_key(user) if user else "",
        "extra_user": user.pk if user and extra else None,
        "extra_entity": extra[0] if extra else None,
        "extra_role": extra[1] if extra else None,
    }
    held: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in records(HELD, asked):
        held.setdefault(row["person"], {})[row["permission"]] = row
    return held


def _row(
    person: str,
    entity_id: int,
    code: str,
    pair: DutyPair,
    permissions: Mapping[str, Mapping[str, Any]],
) -> DutyConflictRow:
    sides = permissions[pair.one], permissions[pair.other]
    return DutyConflictRow(
        person=person,
        name="",
        account_ids=sorted({pk for side in sides for pk in side["accounts"]}),
        entity_id=entity_id,
        entity_code=code,
        pair=pair,
        through=sorted({each for side in sides for each in side["through"]}),
    )


def _named(found: Sequence[DutyConflictRow]) -> list[DutyConflictRow]:
    people = User.objects.in_bulk({row.account_ids[0] for row in found})
    return [replace(row, name=str(people[row.account_ids[0]])) for row in found]


def _borne(found: Sequence[DutyConflictRow], now: datetime) -> list[DutyConflictRow]:
    """Say of each what makes it bearable, by whatever account of the person it was recorded."""
    known = {
        (each.person_id, each.entity_id, each.one, each.other): each
        for each in DutyMitigation.objects.filter(
            revoked_at=None, until__gt=now, entity_id__in={row.entity_id for row in found}
        ).select_related("recorded_by")
    }
    borne = []
    for row in found:
        keys = [(pk, row.entity_id, row.pair.one, row.pair.other) for pk in row.account_ids]
        one = next((known[key] for key in keys if key in known), None)
        if one is not None:
            row = replace(  # noqa: PLW2901
                row,
                mitigation_id=one.pk,
                mitigation=one.reason,
                mitigated_by=str(one.recorded_by),
                until=one.until,
            )
        borne.append(row)
    return borne
