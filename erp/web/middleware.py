"""What holds for every page: the person's clock and numbers, refusals, forms sent once."""

import logging
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from erp.accounts.models import User
from erp.kernel.breaker import Breaker
from erp.kernel.errors import REFUSALS, DomainError
from erp.web.context import chosen_entity, entities_of
from erp.web.regional import language_of, number_language

logger = logging.getLogger(__name__)
NOT_PAGES = ("/api/", "/admin/", "/healthz", "/readyz", "/metrics")
# The administration's skin reads expressions out of its own markup and sets styles inline.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
SENT_SECONDS = 3_600
RUNNING_SECONDS = 120  # a process that died in between blocks its form no longer
RUNNING = "running"
MOVES = frozenset({301, 302, 303})
breaker = Breaker("remembering sent forms")
GetResponse = Callable[[HttpRequest], HttpResponse]


class PersonMiddleware:
    """Shows times in the person's zone and numbers by the habits of the entity in view."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number_language.set("en-us")
        timezone.deactivate()
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not is_not_page(request):
            self.take_on(request)
        return self.get_response(request)

    @staticmethod
    def take_on(request: HttpRequest) -> None:
        user = request.user
        if not isinstance(user, User):
            return
        try:
            timezone.activate(ZoneInfo(user.time_zone))
        except (ZoneInfoNotFoundError, ValueError):
            logger.warning("User %s has an unknown time zone %r.", user.pk, user.time_zone)
        entity = chosen_entity(request)
        entities = entities_of(request)
        if entity is None and len(entities) == 1:
            entity = entities[0]
        if entity is not None:
            number_language.set(language_of(entity.country))


class PageMiddleware:
    """Answers a refusal with a sentence, and a form sent twice with its first answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_not_page(request):
            response = self.get_response(request)
            if request.path.startswith("/admin/"):
                response._csp_replace = ADMIN_POLICY  # type: ignore[attr-defined]  # noqa: SLF001
            return response
        key = sent_key(request)
        earlier = None if key is None else first_answer(key)
        if earlier == RUNNING:
            said = _("This was already sent and is being worked on. Wait a moment, then reload.")
            response = refused(request, said)
        elif earlier:
            response = HttpResponseRedirect(earlier)
        else:
            response = self.get_response(request)
            if key is not None:
                remember_answer(key, response)
        patch_vary_headers(response, ["HX-Request"])
        return redirected(request, response)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, REFUSALS) or is_not_page(request):
            return None
        if isinstance(error, DomainError):
            error.follow_up(timezone.now())
        return refused(request, str(error))


def is_not_page(request: HttpRequest) -> bool:
    return request.path.startswith(NOT_PAGES)


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """Answer 409; under htmx the sentence appears above the form, which keeps what was typed."""
    context = {"refusal": sentence}
    if not getattr(request, "htmx", False):
        return render(request, "409.html", context, status=409)
    response = render(request, "components/refusal.html", context, status=409)
    response["HX-Retarget"] = "#refusals"
    response["HX-Reswap"] = "innerHTML"
    return response


def redirected(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Turn a redirect into a whole new page under htmx, which would swap it into a fragment."""
    if not getattr(request, "htmx", False) or response.status_code not in MOVES:
        return response
    moved = HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    moved.cookies = response.cookies
    return moved


def sent_key(request: HttpRequest) -> str | None:
    """Return the token of a posted form, for this session; None if the form carries none."""
    if request.method != "POST" or not (request.content_type or "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        return None
    token = request.POST.get("idempotency_key", "")[:64]
    user: Any = request.user.pk
    return f"sent:{user}:{request.path}:{token}" if token and user else None


def first_answer(key: str) -> str | None:
    """Claim the token. Returns None if it is new, else where the first sending led, or `RUNNING`.

    Without Redis the token cannot be claimed; the services are safe to repeat by themselves.
    """
    if breaker.attempt(lambda: cache.add(key, RUNNING, RUNNING_SECONDS), otherwise=True):
        return None
    return breaker.attempt(lambda: str(cache.get(key) or "") or None, None)


def remember_answer(key: str, response: HttpResponse) -> None:
    """Keep where the form led; a form that was not accepted may be sent again."""
    if response.status_code in MOVES:
        where = response["Location"]
        breaker.attempt(lambda: cache.set(key, where, SENT_SECONDS), None)
    else:
        breaker.attempt(lambda: cache.delete(key), otherwise=False)
