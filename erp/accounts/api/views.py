"""Companies over REST."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts import permissions
from erp.accounts.api.serializers import EntityChange, EntityInput, EntityOutput
from erp.accounts.models import Entity
from erp.accounts.services import change_entity, open_entity
from erp.api.filters import Filter, FlagFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.views import ResourceViewSet

FIELDS = ("code", "name", "currency", "country", "time_zone", "is_active")


def shown(entity: Entity) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in FIELDS}


class EntityViewSet(ResourceViewSet):
    """The companies in which the caller holds a role. A new one has no roles: give some."""

    queryset = Entity.objects.none()
    lookup_field = "code"
    ordering = "code"
    ordering_fields = ("code", "name")
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "currency": TextFilter("currency"),
        "is_active": FlagFilter("is_active"),
    }
    required_permissions: ClassVar = {
        "list": permissions.VIEW_ENTITY,
        "retrieve": permissions.VIEW_ENTITY,
        "create": permissions.ADD_ENTITY,
        "partial_update": permissions.CHANGE_ENTITY,
    }
    inputs: ClassVar = {"create": EntityInput, "partial_update": EntityChange}
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), EntityOutput
    )

    def list(self, request: Request) -> Response:
        within = Entity.objects.within(self.scope())
        return self.page(within, lambda rows: map(shown, rows))

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(shown(self._one(code)))

    def create(self, request: Request) -> Response:
        return Response(shown(open_entity(**self.body())), status=201)

    def partial_update(self, request: Request, code: str) -> Response:
        entity = self._one(code)
        changes = self.body()
        self.check_version(shown(entity))
        return Response(shown(change_entity(entity_id=entity.pk, changes=changes)))

    def _one(self, code: str) -> Entity:
        found = None if "\0" in code else Entity.objects.within(self.scope()).filter(code=code)
        entity = found.first() if found is not None else None
        if entity is None:
            raise NotFound
        return entity
