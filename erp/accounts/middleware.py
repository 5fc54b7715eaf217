"""Which entities a request is about: those the user may see, narrowed to the one chosen."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse

from erp.accounts.models import Entity, User

CHOICE = "entity"


def scope(request: HttpRequest, permission: str) -> frozenset[int]:
    """Return the entities in which the user holds `permission`, within the one chosen, if any."""
    user = request.user
    if not isinstance(user, User):
        return frozenset()
    held = user.entity_ids(permission)
    chosen = request.session.get(CHOICE)
    return held & {int(chosen)} if chosen else held


class ScopeMiddleware:
    """Puts `scope(permission)` on every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = partial(scope, request)  # type: ignore[attr-defined]
        return self.get_response(request)


def choose_entity(request: HttpRequest, entity: Entity | None) -> None:
    """Remember which entity the person looks at; None is all of theirs."""
    if entity is None:
        request.session.pop(CHOICE, None)
    else:
        request.session[CHOICE] = entity.pk
