"""The pages of the shell: signing in, my day, search, the entity in view, the profile."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from erp.accounts.middleware import choose_entity
from erp.accounts.models import Role, RoleAssignment, User
from erp.accounts.services import change_profile
from erp.kernel.access import public, signed_in
from erp.kernel.http import SignedInRequest
from erp.web import lockout
from erp.web.context import entities_of
from erp.web.forms import ProfileForm, SignInForm
from erp.web.navigation import open_items
from erp.web.regional import number
from erp.web.selectors import Work, Worklist, find, my_work


def address_of(url_name: str, *arguments: str) -> str:
    """Return the address of a page, or "" while there is no such page."""
    try:
        return reverse(url_name, args=arguments) if url_name else ""
    except NoReverseMatch:
        return ""


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Return `wanted` if it is an address of ours, else my day."""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("web:home")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let somebody in by user name and password; five bad tries rest for some minutes."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if request.user.is_authenticated:
        return redirect(safe_next(request, wanted))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        username, password = form.cleaned_data["username"], form.cleaned_data["password"]
        came_from = request.META.get("REMOTE_ADDR", "")
        if lockout.is_locked(username, came_from):
            status = 429
            form.add_error(None, _locked())
        elif user := authenticate(request, username=username, password=password):
            lockout.forget_tries(username, came_from)
            login(request, user)
            return redirect(safe_next(request, wanted))
        else:
            lockout.count_bad_try(username, came_from)
            locked = lockout.is_locked(username, came_from)
            status = 429 if locked else 422
            form.add_error(
                None,
                _locked()
                if locked
                else _("User name and password do not match. Both mind upper and lower case."),
            )
    elif request.method == "POST":
        status = 422
    return render(request, "registration/login.html", {"form": form, "next": wanted}, status=status)


def _locked() -> str:
    return _(
        "Too many wrong passwords. Signing in to this account rests for %(minutes)d minutes; "
        "then try again, or ask an administrator to set a new password."
    ) % {"minutes": lockout.LOCKED_MINUTES}


@require_POST
@public
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("web:login")


@dataclass(frozen=True, slots=True)
class Section:
    """One worklist as My day draws it."""

    worklist: Worklist
    total: int
    href: str
    items: list[tuple[Work, str]]

    @property
    def total_text(self) -> str:
        return number(self.total, 0)


@require_GET
@signed_in
def home(request: SignedInRequest) -> HttpResponse:
    """Show what waits for this person, by their roles."""
    roles = frozenset(roles_of(request.user))
    sections = [
        Section(
            worklist,
            total,
            _list_address(worklist),
            [(item, address_of(worklist.record, item.ref)) for item in items],
        )
        for worklist, total, items in my_work(
            request.user, roles=roles, entities=request.scope, today=timezone.localdate()
        )
    ]
    context = {
        "sections": [s for s in sections if s.total],
        "done": [s for s in sections if not s.total],
        "tiles": [s for s in sections if s.total],
        "role_names": [str(Role(role).label) for role in sorted(roles)],
        "has_pages": any(
            i.url != "web:home" for _n, items in open_items(request) for i, _h in items
        ),
    }
    return render(request, "web/home.html", context)


def _list_address(worklist: Worklist) -> str:
    href = address_of(worklist.page)
    return f"{href}?{worklist.query}" if href and worklist.query else href


def roles_of(user: User) -> list[str]:
    return list(RoleAssignment.objects.filter(user=user).values_list("role", flat=True).distinct())


@require_GET
@signed_in
def search(request: SignedInRequest) -> HttpResponse:
    """Answer the palette: pages by name, then things by number, code or name."""
    text = request.GET.get("q", "").strip()
    words = text.lower().split()
    pages = [
        {"label": str(item.label), "icon": item.icon, "href": href, "hint": group}
        for group, items in open_items(request)
        for item, href in items
        if all(word in f"{group} {item.label}".lower() for word in words)
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for hit in find(text, entities=request.scope):
        href = address_of(hit.page, hit.ref)
        if href:
            groups.setdefault(hit.kind, []).append({"hit": hit, "href": href})
    context = {"text": text, "pages": pages, "groups": groups.items()}
    whole = "X-Palette" not in request.headers
    return render(request, "web/search.html" if whole else "web/_found.html", context)


@require_GET
@signed_in
def navigation_lines(request: SignedInRequest) -> HttpResponse:
    """Answer the navigation anew, as for the page `?at=`: its counts have changed."""
    request.path = request.GET.get("at", "/")
    return render(request, "components/navigation.html", {"again": True})


@require_POST
@signed_in
def entity(request: SignedInRequest) -> HttpResponse:
    """Narrow every page to one entity, or widen it to all of the person's."""
    wanted = request.POST.get("entity", "")
    chosen = next((e for e in entities_of(request) if str(e.pk) == wanted), None)
    if wanted and chosen is None:
        messages.error(request, _("You do not work for that entity. Choose one from the list."))
    else:
        choose_entity(request, chosen)
    return redirect(safe_next(request, request.POST.get("next", "")))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def profile(request: SignedInRequest) -> HttpResponse:
    """Let a person change their name and time zone, and see what they may do where."""
    user = request.user
    known = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "time_zone": user.time_zone,
    }
    form = ProfileForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        change_profile(user=user, **form.cleaned_data)
        messages.success(request, _("Your profile was saved."))
        return redirect("web:profile")
    held = RoleAssignment.objects.filter(user=request.user).select_related("entity")
    context = {
        "form": form,
        "zones": sorted(available_timezones()),
        "held": [(a.entity.name, a.get_role_display(), a.valid_until) for a in held],
    }
    return render(request, "web/profile.html", context, status=422 if form.errors else 200)


@require_safe
@public
def favicon(request: HttpRequest) -> HttpResponse:
    """Show where the icon is, to browsers that ask for it by its old name."""
    return redirect(static("web/icon.svg"), permanent=True)


def refused_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose page has grown old: it can be sent again after a reload."""
    return render(request, "403_csrf.html", status=403)
