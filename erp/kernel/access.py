"""Who may see a page: each view names one permission."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def requires(permission: str) -> Callable[[View], View]:
    """Let a view run only for a signed-in user who holds `permission` in some entity.

    The view still asks `request.scope(permission)` for the entities, and shows 404 beyond them.
    """

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def signed_in(view: View) -> View:
    """Let a view run for anybody who is signed in: it shows only what concerns the person."""
    guarded = login_required(view)
    guarded.required_permission = ""  # type: ignore[attr-defined]
    return guarded


def public(view: View) -> View:
    """Mark a view that anybody may open: it says nothing about the business."""
    view.required_permission = ""  # type: ignore[attr-defined]
    return view
