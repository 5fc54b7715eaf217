"""The design system on one page, with invented figures."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from erp.kernel.access import signed_in
from erp.kernel.http import SignedInRequest
from erp.web.rules.tones import TONES

STAGES = [("Received", 12), ("Held", 27), ("Released", 64), ("Allocated", 181), ("Picking", 58)]
OTIF: list[Decimal | None] = [Decimal(92) + Decimal((day * 37) % 50) / 10 for day in range(30)]
OTIF[9] = None  # a day without a figure: the line breaks there
FILL = [Decimal(95) + Decimal((day * 23) % 30) / 10 for day in range(30)]


class SampleForm(forms.Form):
    customer = forms.CharField(help_text="Type the beginning of a name or a code.")
    quantity = forms.DecimalField(max_digits=15, decimal_places=3)
    requested_on = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), label="Wanted on"
    )
    carrier = forms.ChoiceField(choices=[("", "Any"), ("ups", "UPS"), ("dhl", "DHL")])
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    complete = forms.BooleanField(
        required=False, label="Ship complete", help_text="Wait until every line is there."
    )


def sample() -> dict[str, Any]:
    now = timezone.now()
    days = [now.date() - timedelta(days=29 - n) for n in range(30)]
    weeks = [f"W{n}" for n in range(48, 56)]
    return {
        "now": now,
        "tones": {tone: sorted(names)[:6] for tone, names in TONES.items()}.items(),
        "clocks": [
            (now + timedelta(minutes=14), now - timedelta(hours=4)),
            (now + timedelta(hours=1, minutes=48), now - timedelta(hours=6)),
            (now + timedelta(hours=5), now - timedelta(hours=6)),
            (now + timedelta(days=3), now - timedelta(hours=3)),
            (now - timedelta(hours=2), now - timedelta(hours=9)),
        ],
        "stages": [{"label": s, "value": n, "text": f"{n} orders", "href": "#"} for s, n in STAGES],
        "steps": [
            {"label": "Received", "state": "done", "note": "09:02"},
            {"label": "Released", "state": "done", "note": "7 checks"},
            {"label": "Allocated", "state": "now", "note": "1,708 of 2,120"},
            {"label": "Shipped"},
            {"label": "Invoiced"},
        ],
        "events": [
            {"at": now - timedelta(minutes=4), "text": "Shortage opened", "tone": "hot",
             "detail": "412 of 600 short on line 2"},
            {"at": now - timedelta(hours=1), "text": "1,708 of 2,120 secured", "tone": "good"},
            {"at": now - timedelta(days=2), "text": "Received from EDI"},
        ],
        "documents": [
            {"kind": "Order", "label": "SO-10428", "href": "#", "state": "partly_allocated"},
            {"kind": "Shipment", "label": "SH-8812", "href": "#", "state": "picked"},
            {"label": "no invoice yet"},
        ],
        "days": [f"{day.day} {day:%b}" for day in days],
        "service": [{"name": "OTIF", "values": OTIF}, {"name": "Line fill", "values": FILL}],
        "weeks": weeks,
        "flows": [
            {"name": "Supply", "values": [200, 0, 340, 0, 0, 500, 0, 120], "tone": "ok"},
            {"name": "Demand", "values": [-120, -180, -90, -210, -160, -80, -190], "tone": "s2"},
        ],
        "stock": {"name": "Projected", "values": [260, 80, 330, 120, -40, 380, 190, 250],
                  "tone": "accent"},
        "trend": FILL,
        "statuses": [("", "All", 412), ("held", "Held", 27), ("late", "Late", 9)],
    }  # fmt: skip


@require_GET
@signed_in
def styleguide(request: SignedInRequest) -> HttpResponse:
    """Show every component, to administrators."""
    if not request.user.is_superuser:
        raise PermissionDenied
    bad = SampleForm({"customer": "", "quantity": "-1e9999", "carrier": "x"})
    return render(
        request, "web/styleguide.html", {**sample(), "form": SampleForm(prefix="a"), "bad": bad}
    )
