"""Who may decide which open step: by a role of their own, or on behalf of somebody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from erp.accounts.models import User
from erp.kernel.sql import records

# Every open step beside every person who holds what it asks for (`holder`), beside that person and
# everybody to whom they passed it on (`user`). `unfit` says why that person must not decide: they
# asked or took part ("own"), are the same employee, stand in for the one who asked ("delegate"), or
# decided another step of it ("before").
ENTITLED = """
    WITH step AS (
        SELECT s.id, s.number, s.permission, s.role, s.escalated_to, s.approval_id, a.entity_id,
               a.requested_by_id, a.barred
        FROM governance_approvalstep s
        JOIN governance_approval a ON a.id = s.approval_id
        JOIN accounts_entity e ON e.id = a.entity_id AND e.is_active
        WHERE s.state = 'open' AND a.state = 'pending' AND {which}
    ), assigned AS (
        SELECT r.user_id, r.entity_id, r.role
        FROM accounts_roleassignment r JOIN accounts_user u ON u.id = r.user_id AND u.is_active
        WHERE r.entity_id IN (SELECT entity_id FROM step)
          AND (r.valid_from IS NULL OR r.valid_from <= %(now)s)
          AND (r.valid_until IS NULL OR r.valid_until > %(now)s)
    ), grants AS (
        SELECT DISTINCT g.name AS role, ct.app_label || '.' || p.codename AS permission
        FROM auth_group g
        JOIN auth_group_permissions gp ON gp.group_id = g.id
        JOIN auth_permission p ON p.id = gp.permission_id
        JOIN django_content_type ct ON ct.id = p.content_type_id
        WHERE ct.app_label || '.' || p.codename IN (SELECT permission FROM step)
    ), holder AS (
        SELECT step.id, assigned.user_id, assigned.role
        FROM step JOIN assigned ON assigned.entity_id = step.entity_id
        WHERE assigned.role = step.escalated_to
           OR (step.permission = '' AND assigned.role = step.role)
           OR EXISTS (SELECT FROM grants g
                      WHERE g.role = assigned.role AND g.permission = step.permission)
    ), passed_on AS (
        SELECT d.* FROM governance_delegation d
        WHERE d.revoked_at IS NULL AND d.starts_at <= %(now)s AND d.ends_at > %(now)s
          AND EXISTS (SELECT FROM assigned
                      WHERE assigned.user_id = d.delegate_id AND assigned.entity_id = d.entity_id)
    ), power AS (
        SELECT DISTINCT holder.id AS step_id, holder.user_id, NULL::bigint AS holder_id,
               NULL::bigint AS delegation_id
        FROM holder
        UNION
        SELECT holder.id, d.delegate_id, holder.user_id, min(d.id)
        FROM holder JOIN step ON step.id = holder.id
        JOIN passed_on d ON d.delegator_id = holder.user_id AND d.entity_id = step.entity_id
            AND (d.role = '' OR d.role = holder.role)
            AND (d.approval_id IS NULL OR d.approval_id = step.approval_id)
        GROUP BY 1, 2, 3
        UNION
        SELECT step.id, u.id, NULL, NULL FROM step JOIN accounts_user u ON u.id = %(user)s::bigint
        WHERE u.is_superuser AND u.is_active
    )
    SELECT power.step_id, step.approval_id, step.permission, power.user_id, power.holder_id,
           power.delegation_id,
           CASE
               WHEN EXISTS (
                   SELECT FROM accounts_user p
                   WHERE (p.id = step.requested_by_id OR step.barred @> to_jsonb(p.id))
                     AND (p.id IN (power.user_id, power.holder_id) OR p.employee_ref <> ''
                          AND p.employee_ref IN (who.employee_ref, holding.employee_ref))
               ) THEN 'own'
               WHEN EXISTS (
                   SELECT FROM passed_on d
                   JOIN accounts_user asker ON asker.id = step.requested_by_id
                   JOIN accounts_user giver ON giver.id = d.delegator_id
                   JOIN accounts_user taker ON taker.id = d.delegate_id
                   WHERE d.entity_id = step.entity_id
                     AND (d.approval_id IS NULL OR d.approval_id = step.approval_id)
                     AND (giver.id = asker.id OR giver.employee_ref <> ''
                          AND giver.employee_ref = asker.employee_ref)
                     AND (taker.id = who.id OR taker.employee_ref <> ''
                          AND taker.employee_ref = who.employee_ref)
               ) THEN 'delegate'
               WHEN EXISTS (
                   SELECT FROM governance_approvalstep other
                   JOIN accounts_user p ON p.id IN (other.decided_by_id, other.on_behalf_of_id)
                   WHERE other.approval_id = step.approval_id AND other.id <> step.id
                     AND (p.id IN (power.user_id, power.holder_id) OR p.employee_ref <> ''
                          AND p.employee_ref IN (who.employee_ref, holding.employee_ref))
               ) THEN 'before'
               ELSE ''
           END AS unfit,
           EXISTS (SELECT FROM governance_absence b
                   WHERE b.user_id = power.user_id AND b.cancelled_at IS NULL
                     AND b.starts_at <= %(now)s AND b.ends_at > %(now)s) AS is_away
    FROM power
    JOIN step ON step.id = power.step_id
    JOIN accounts_user who ON who.id = power.user_id
    JOIN accounts_user holding ON holding.id = coalesce(power.holder_id, power.user_id)
    WHERE %(user)s::bigint IS NULL OR power.user_id = %(user)s::bigint
    ORDER BY step.number, power.step_id, power.holder_id NULLS FIRST, power.user_id
"""
OF_STEPS = ENTITLED.format(which="s.id = ANY(%(steps)s::bigint[])")
OF_ENTITIES = ENTITLED.format(which="a.entity_id = ANY(%(entities)s::bigint[])")


@dataclass(frozen=True, slots=True)
class Entitlement:
    """That `user_id` may decide an open step, on behalf of `holder_id` where that is not None.

    `unfit` is empty, or why they must not: "own", "delegate" or "before". `is_away`: they are.
    """

    step_id: int
    approval_id: int
    user_id: int
    holder_id: int | None
    delegation_id: int | None
    unfit: str
    is_away: bool


def entitled_to(*, step_ids: Collection[int], now: datetime) -> list[Entitlement]:
    """Return everybody who could decide these open steps, fit or not. One query.

    Superusers are not counted on.
    """
    found = records(OF_STEPS, {"steps": list(step_ids), "user": None, "now": now})
    return [_entitlement(row) for row in found]


def entitlements_of(
    *,
    user: User,
    now: datetime,
    entity_ids: Collection[int] = (),
    step_ids: Collection[int] | None = None,
) -> list[Entitlement]:
    """Return what `user` holds of the open steps of these entities, or of `step_ids`. One query.

    Their own powers come before those of others, earlier steps before later ones. A key's scopes
    narrow: what rests on a role, or on another person, is for people alone.
    """
    if not user.is_active:
        return []
    asked = {"user": user.pk, "now": now}
    if step_ids is not None:
        found = records(OF_STEPS, {**asked, "steps": list(step_ids)})
    else:
        found = records(OF_ENTITIES, {**asked, "entities": list(entity_ids)})
    scopes = user.scopes
    return [
        _entitlement(row)
        for row in found
        if scopes is None or (row["permission"] in scopes and row["holder_id"] is None)
    ]


def _entitlement(row: dict[str, object]) -> Entitlement:
    return Entitlement(**{name: row[name] for name in Entitlement.__slots__})  # type: ignore[arg-type]
