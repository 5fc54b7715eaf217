"""What stock is kept for whom: segments, who belongs to them, and their shares by period."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions
from inventory.models import Protection
from inventory.selectors import protections, segment_tree
from inventory.services import BadMasterData
from inventory.services.protecting import (
    ProtectionDraft,
    SegmentDraft,
    end_protection,
    save_protection,
    save_segment,
)
from orders.selectors import segment_members
from orders.services.segmenting import assign_segment

PAGE = 100
CURSOR = re.compile(r"[0-9]{1,18}")


@require_GET
@requires(permissions.VIEW_PROTECTION)
def protection(request: SignedInRequest) -> HttpResponse:
    """Show the tree, its members, and what is kept, a hundred at a time."""
    return _show(request, {}, "")


@require_POST
@requires(permissions.CHANGE_PROTECTION)
def change_protection(request: SignedInRequest, what: str) -> HttpResponse:
    """Keep what was typed about a segment, a member or a share; say what is wrong beside it."""
    typed = {name: request.POST[name].replace("\0", "").strip() for name in request.POST}
    doings: dict[str, Callable[[SignedInRequest, Mapping[str, str]], str]] = {
        "segment": _segment, "member": _member, "share": _share, "end": _end,
    }  # fmt: skip
    if what not in doings:
        raise Http404
    try:
        said = doings[what](request, typed)
    except BadMasterData as refusal:
        messages.error(request, str(refusal))
        return _show(request, typed, what, status=422)
    messages.success(request, said)
    return redirect("orders:protection")


def _segment(request: SignedInRequest, typed: Mapping[str, str]) -> str:
    draft = SegmentDraft(
        code=typed.get("code", ""),
        name=typed.get("name", ""),
        parent=typed.get("parent", ""),
        rank=_whole(typed, "rank"),
        lends="lends" in typed,
    )
    save_segment(draft=draft, actor=request.user, now=timezone.now())
    return _("Segment %(code)s is kept.") % {"code": draft.code}


def _member(request: SignedInRequest, typed: Mapping[str, str]) -> str:
    kind, code, segment = (typed.get(name, "") for name in ("kind", "code", "segment"))
    assign_segment(kind=kind, code=code, segment=segment, actor=request.user, now=timezone.now())
    if not segment:
        return _("%(code)s is of no segment now.") % {"code": code}
    return _("%(code)s is of %(segment)s.") % {"code": code, "segment": segment}


def _share(request: SignedInRequest, typed: Mapping[str, str]) -> str:
    scope = request.scope(permissions.CHANGE_PROTECTION)
    entity = Entity.objects.filter(code=typed.get("entity", ""), pk__in=scope).first()
    if entity is None:
        raise BadMasterData(0, "entity", _("There is no such company."))
    draft = ProtectionDraft(
        segment=typed.get("segment", ""),
        entity_id=entity.pk,
        product=typed.get("product", ""),
        node=typed.get("node", ""),
        first_day=_day(typed, "first_day"),
        last_day=_day(typed, "last_day"),
        floor=_amount(typed, "floor") or Decimal(0),
        cap=_amount(typed, "cap"),
        reason=typed.get("reason", ""),
    )
    save_protection(draft=draft, actor=request.user, now=timezone.now())
    said = _("%(product)s is kept for %(segment)s.")
    return said % {"product": draft.product.upper(), "segment": draft.segment}


def _end(request: SignedInRequest, typed: Mapping[str, str]) -> str:
    scope = request.scope(permissions.CHANGE_PROTECTION)
    wanted = typed.get("protection", "")
    if not CURSOR.fullmatch(wanted):
        raise Http404
    found = Protection.objects.filter(pk=int(wanted), entity_id__in=scope).first()
    if found is None:
        raise Http404
    now = timezone.now()
    yesterday = date.fromordinal(now.date().toordinal() - 1)
    end_protection(
        protection_id=found.pk,
        last_day=min(yesterday, found.last_day),
        reason=typed.get("reason", ""),
        actor=request.user,
        now=now,
    )
    return _("It is kept no more.")


def _show(
    request: SignedInRequest, typed: Mapping[str, str], what: str, status: int = 200
) -> HttpResponse:
    scope = request.scope(permissions.VIEW_PROTECTION)
    after = request.GET.get("after", "")
    product = request.GET.get("product", "").replace("\0", "").strip()[:40]
    rows = protections(
        entity_ids=scope,
        today=timezone.now().date(),
        product=product,
        after=int(after) if CURSOR.fullmatch(after) else 0,
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    mine = request.scope(permissions.CHANGE_PROTECTION)
    context = {
        "rows": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE else "",
        "product": product,
        "segments": segment_tree(),
        "members": segment_members(),
        "entities": Entity.objects.filter(pk__in=mine).order_by("code"),
        "kinds": [
            ("customer", _("Customer")), ("group", _("Group")), ("channel", _("Channel")),
            ("entity", _("Company")),
        ],
        "typed": typed,
        "what": what,
        "may_change": bool(mine),
        "today": timezone.now().date(),
    }  # fmt: skip
    return render(request, "orders/protection.html", context, status=status)


def _whole(typed: Mapping[str, str], name: str) -> int:
    text = typed.get(name, "") or "1"
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise BadMasterData(0, name, _("A whole number from 0 to 999."))
    return int(text)


def _day(typed: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(typed.get(name, ""))
    except ValueError:
        raise BadMasterData(0, name, _("Say a day.")) from None


def _amount(typed: Mapping[str, str], name: str) -> Decimal | None:
    text = typed.get(name, "")
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadMasterData(0, name, _("That is no number.")) from None
