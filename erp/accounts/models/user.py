"""People, the roles they hold per entity, and the keys of partner systems."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q

from erp.accounts.models.entity import Entity
from erp.kernel.sql import rows


class Role(models.TextChoices):
    CUSTOMER_SERVICE = "customer_service", "Customer service"
    ORDER_DESK = "order_desk", "Order desk"
    CREDIT = "credit", "Credit"
    PRICING = "pricing", "Pricing"
    PLANNER = "planner", "Planner"
    BUYER = "buyer", "Buyer"
    WAREHOUSE = "warehouse", "Warehouse"
    SHIPPING = "shipping", "Shipping"
    AR = "ar", "Accounts receivable"
    AP = "ap", "Accounts payable"
    CONTROLLER = "controller", "Controller"
    OPERATIONS_LEAD = "operations_lead", "Operations lead"
    EXECUTIVE = "executive", "Executive"
    STEWARD = "steward", "Master-data steward"
    ADMINISTRATOR = "administrator", "Administrator"
    PARTNER = "partner", "Partner"


GRANTED = """
    SELECT ct.app_label || '.' || p.codename, array_agg(DISTINCT a.entity_id)
    FROM accounts_roleassignment a
    JOIN accounts_entity e ON e.id = a.entity_id AND e.is_active
    JOIN auth_group g ON g.name = a.role
    JOIN auth_group_permissions gp ON gp.group_id = g.id
    JOIN auth_permission p ON p.id = gp.permission_id
    JOIN django_content_type ct ON ct.id = p.content_type_id
    WHERE a.user_id = %s
      AND (a.valid_from IS NULL OR a.valid_from <= now())
      AND (a.valid_until IS NULL OR a.valid_until > now())
    GROUP BY 1
"""


class User(AbstractUser):
    """A person, or the identity under which a partner system or a timer acts.

    `employee_ref` is equal on two accounts of the same person: duties are kept apart by it.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        PARTNER = "partner"
        SYSTEM = "system"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    employee_ref = models.CharField(max_length=50, blank=True)
    time_zone = models.CharField(max_length=50, default="UTC")

    scopes: frozenset[str] | None = None  # of the key that was used; it narrows, never widens

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @cached_property
    def granted(self) -> dict[str, frozenset[int]]:
        """Each permission this user holds, with the entities it holds for. One query."""
        return {name: frozenset(ids) for name, ids in rows(GRANTED, [self.pk])}

    @cached_property
    def every_entity(self) -> frozenset[int]:
        return frozenset(Entity.objects.filter(is_active=True).values_list("pk", flat=True))

    def entity_ids(self, permission: str) -> frozenset[int]:
        """Return the entities in which this user holds `permission` ("app.codename")."""
        if not self._within_scopes(permission):
            return frozenset()
        if self.is_superuser:
            return self.every_entity
        return self.granted.get(permission, frozenset())

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Test if the user holds `perm` at all, or in the entity `obj` (an Entity or its id)."""
        if not self._within_scopes(perm):
            return False
        if obj is None:
            return self.is_superuser or bool(self.granted.get(perm))
        return (obj.pk if isinstance(obj, Entity) else obj) in self.entity_ids(perm)

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        prefix = f"{app_label}."
        return self.is_active and (
            self.is_superuser or any(name.startswith(prefix) for name in self.granted)
        )

    def _within_scopes(self, permission: str) -> bool:
        return self.is_active and (self.scopes is None or permission in self.scopes)


class RoleAssignment(models.Model):
    """One role of one user in one entity, from `valid_from` until `valid_until` (open if null)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles")
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=30, choices=Role)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "entity", "role"], name="accounts_role_once_per_entity"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=F("valid_from")),
                name="accounts_role_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} @ {self.entity}"


class ApiKey(models.Model):
    """A partner system's key. Only its hash is kept; `scopes` narrow what its user may do.

    `prefix` is the public half, by which it is found and named in logs.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
