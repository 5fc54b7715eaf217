"""Pairs: which product may go out for which, and on what terms."""

import re

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions
from inventory.forms import SubstituteForm
from inventory.models import Substitute
from inventory.selectors import substitute_rows
from inventory.services import BadMasterData
from inventory.services.substituting import drop_substitute, save_substitute

PAGE = 100
CURSOR = re.compile(r"[0-9]{1,18}")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.VIEW_PRODUCT)
def substitutes(request: SignedInRequest) -> HttpResponse:
    """Show the pairs of one product or all, a hundred at a time; keep the one that was typed."""
    may_change = bool(request.scope(permissions.CHANGE_PRODUCT))
    data = request.POST if request.method == "POST" and may_change else None
    if request.method == "POST" and data is None:
        raise Http404
    product = request.GET.get("product", "").replace("\0", "").strip()[:40]
    form = SubstituteForm(data, initial={"product": product.upper(), "units": 1, "per": 1})
    if form.is_valid() and _saved(request, form):
        messages.success(request, _("%(pair)s is kept.") % {"pair": form.pair})
        return redirect(request.get_full_path())
    after = request.GET.get("after", "")
    rows = substitute_rows(
        product=product,
        after=int(after) if CURSOR.fullmatch(after) else 0,
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE and not product else "",
        "product": product,
        "form": form,
        "may_change": may_change,
        "today": timezone.localdate(),
    }
    status = 422 if data is not None else 200
    return render(request, "inventory/substitutes.html", context, status=status)


@require_POST
@requires(permissions.CHANGE_PRODUCT)
def drop_pair(request: SignedInRequest, pair_id: int) -> HttpResponse:
    """Forget a pair; what went out by it stays."""
    found = Substitute.objects.filter(pk=pair_id).values("product__code", "other__code").first()
    if found is None:
        raise Http404
    product, other = found["product__code"], found["other__code"]
    drop_substitute(product=product, other=other, actor=request.user, now=timezone.now())
    said = _("%(other)s goes out for %(product)s no more.")
    messages.success(request, said % {"other": other, "product": product})
    return redirect("inventory:substitutes")


def _saved(request: SignedInRequest, form: SubstituteForm) -> bool:
    """Write what was typed; a refusal is said beside its field."""
    try:
        save_substitute(draft=form.draft(), actor=request.user, now=timezone.now())
    except BadMasterData as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return False
    return True
