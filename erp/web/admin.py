"""A window for administrators: everything is seen, only reference data is changed.

Registers every model of ours that no app has registered itself. Documents, states, stock, money and
history change through services alone, so here they can be read and not written.
"""

from typing import Any, cast

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django_fsm import FSMField
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from erp.accounts.models import Role, RoleAssignment, User
from erp.governance.services import end_role, grant_role
from erp.kernel.errors import DomainError

# Prices, customers, suppliers and roles are no part of it: their services keep duties apart.
REFERENCE = frozenset({
    "accounts.entity", "inventory.carrier", "inventory.node", "inventory.product",
    "inventory.productuom", "procurement.replenishmentrule",
})  # fmt: skip
SECRETS = frozenset({"password", "digest", "secret", "token"})
OURS = ("erp.", "orders", "inventory", "procurement", "finance", "exceptions")
COLUMNS_MAX, SEARCH = 7, ("number", "code", "name", "username", "sku", "subject_label")
LONG = (models.JSONField, models.TextField, models.ManyToManyField)


def within(request: HttpRequest, rows: QuerySet[Any], permission: str) -> QuerySet[Any]:
    """Keep the rows of the entities in which the person may look; other tables stay whole."""
    user = request.user
    has_entity = any(f.name == "entity" for f in rows.model._meta.fields)  # noqa: SLF001
    if not has_entity or not isinstance(user, User) or user.is_superuser:
        return rows
    return rows.filter(entity_id__in=user.entity_ids(permission))


class Window(ModelAdmin):  # type: ignore[misc]
    """A model as a support desk sees it: rows to find and read, nothing to write."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        meta = self.opts
        permission = f"{meta.app_label}.view_{meta.model_name}"
        return within(request, super().get_queryset(request), permission)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Register(ModelAdmin):  # type: ignore[misc]
    """Reference data: administrators add and change it; what is in use cannot be deleted."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        meta = self.opts
        permission = f"{meta.app_label}.change_{meta.model_name}"
        return within(request, super().get_queryset(request), permission)


class RoleInline(TabularInline):  # type: ignore[misc]
    """A person's roles: given and taken, never changed."""

    model = RoleAssignment
    extra = 0
    fields = ["entity", "role"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PeopleAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """People and the roles they hold. Only a superuser makes or changes a superuser."""

    form, add_form = UserChangeForm, UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "kind", "is_active", "last_login"]
    list_filter = ["kind", "is_active", "is_staff"]
    inlines = [RoleInline]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "employee_ref", "time_zone"]}),
        ("Access", {"fields": ["kind", "is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Give and take roles through the service: duties are kept apart here too."""
        wanted = formset.save(commit=False)
        asked: dict[str, Any] = {"actor": cast("User", request.user), "now": timezone.now()}
        try:
            with transaction.atomic():
                for gone in formset.deleted_objects:
                    end_role(user=gone.user, entity=gone.entity, role=Role(gone.role), **asked)
                for new in wanted:
                    role = Role(new.role)
                    for row in grant_role(user=new.user, entity=new.entity, role=role, **asked):
                        said = f"{row.pair.one} with {row.pair.other}: {row.pair.why}"
                        messages.warning(request, said)
        except DomainError as refusal:
            messages.error(request, str(refusal))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        locked = [] if request.user.is_superuser else ["is_superuser", "is_staff", "kind"]
        return [*self.readonly_fields, *locked]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # somebody who has left is made inactive: their name stands in the history


def options(model: type[models.Model]) -> dict[str, Any]:
    """Return list columns, filters and search of a model, by the kinds of its fields."""
    fields = [f for f in model._meta.fields if f.name not in SECRETS]  # noqa: SLF001
    columns = [f.name for f in fields if not isinstance(f, LONG) and f.name != "id"]
    return {
        "list_display": columns[:COLUMNS_MAX] or ["__str__"],
        "list_filter": [
            f.name for f in fields if isinstance(f, FSMField) or f.choices or f.name == "entity"
        ],
        "search_fields": [f.name for f in fields if f.name in SEARCH],
        "list_select_related": [
            f.name for f in fields if f.is_relation and f.name in columns[:COLUMNS_MAX]
        ],
        "exclude": [f.name for f in model._meta.fields if f.name in SECRETS],  # noqa: SLF001
        "ordering": ["-pk"],
        "raw_id_fields": [f.name for f in fields if f.is_relation],
    }


def register_all() -> None:
    """Register what is left over, after every app has had its turn."""
    for model in apps.get_models():
        config = apps.get_app_config(model._meta.app_label)  # noqa: SLF001
        ours = config.name.startswith(OURS)
        if not ours or not model._meta.managed or admin.site.is_registered(model):  # noqa: SLF001
            continue
        base = Register if model._meta.label_lower in REFERENCE else Window  # noqa: SLF001
        admin.site.register(model, type(f"{model.__name__}Admin", (base,), options(model)))


def login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Send who is not signed in to our own page; who is, and is no administrator, is refused."""
    if request.user.is_authenticated:
        raise PermissionDenied
    wanted = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
    return redirect(f"{reverse('web:login')}?{wanted}")


admin.site.register(User, PeopleAdmin)
register_all()
setattr(admin.site, "login", login)  # noqa: B010  one door, one lock-out
