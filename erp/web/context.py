"""What every page's frame needs: navigation, entities, theme, zone."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from erp.accounts.models import Entity, User
from erp.web.navigation import bell, navigation

THEMES = ("light", "dark")


def entities_of(request: HttpRequest) -> list[Entity]:
    """Return the entities this person works for, by name; read once a request."""
    user = request.user
    if not isinstance(user, User):
        return []
    known: list[Entity] | None = getattr(request, "_entities", None)
    if known is None:
        ids = user.every_entity if user.is_superuser else frozenset().union(*user.granted.values())
        known = list(Entity.objects.within(ids).filter(is_active=True).order_by("name"))
        request._entities = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known


def chosen_entity(request: HttpRequest) -> Entity | None:
    """Return the entity this person looks at; None is all of theirs."""
    chosen = request.session.get("entity") if hasattr(request, "session") else None
    return next((e for e in entities_of(request) if e.pk == chosen), None) if chosen else None


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the frame of a page: everything in it is read only when a template draws it."""
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in THEMES else "auto",
        "shell_entities": SimpleLazyObject(lambda: entities_of(request)),
        "shell_entity": SimpleLazyObject(lambda: chosen_entity(request)),
        "shell_navigation": SimpleLazyObject(lambda: navigation(request)),
        "shell_bell": SimpleLazyObject(lambda: bell(request)),
        "shell_now": timezone.localtime(),
    }
