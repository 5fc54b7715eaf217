"""What the pages of documents have in common: their story, their steps, where an act leads."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from erp.governance.selectors import TimelineRow
from erp.kernel.http import SignedInRequest


def told(rows: Sequence[TimelineRow]) -> list[Mapping[str, Any]]:
    """Return entries of the audit trail as a timeline shows them: what, by whom, why."""
    return [
        {
            "at": row.at,
            "text": f"{row.action.partition('.')[2].replace('_', ' ')} · "
            f"{row.actor_name or _('the house')}",
            "detail": row.reason,
        }
        for row in rows
    ]


def steps(state: str, order: Sequence[str], labels: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return how far a document has come; `order` are its states, the last one ends it."""
    if state == "cancelled":
        return [
            {"label": labels[order[0]], "state": "done"},
            {"label": labels["cancelled"], "state": "bad"},
        ]
    here, end = order.index(state), order[-1]
    return [
        {
            "label": labels[step],
            "state": "now" if place == here and step != end else "done" if place <= here else "",
        }
        for place, step in enumerate(order)
    ]


def moved_on(request: SignedInRequest, page: str, number: str, said: str) -> HttpResponse:
    """Say that something was done to a document, and go back to its page (a url name)."""
    messages.success(request, said % {"number": number})
    return redirect(page, number)
