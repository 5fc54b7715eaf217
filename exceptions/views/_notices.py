"""What one person was told, and how they want to be told."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.models import NoticePreference
from exceptions.services import prefer, read_notices


@require_GET
@requires(permissions.VIEW)
def notices_page(request: SignedInRequest) -> HttpResponse:
    """Show the newest that this person was told, what is unread marked."""
    after = request.GET.get("after", "")
    rows, following = selectors.notices(
        user_id=request.user.pk, after=int(after) if after.isdecimal() else None
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "preference": selectors.preference(request.user.pk),
        "ways": NoticePreference.Mail.choices,
        "newest": rows[0].id if rows else 0,
    }
    return render(request, "exceptions/notices.html", context)


@require_POST
@requires(permissions.VIEW)
def read_all(request: SignedInRequest) -> HttpResponse:
    """Mark what is on the page and all before it as read."""
    up_to = request.POST.get("up_to", "")
    read_notices(
        user=request.user, now=timezone.now(), up_to=int(up_to) if up_to.isdecimal() else None
    )
    return redirect("exceptions:notices")


@require_POST
@requires(permissions.VIEW)
def keep_preference(request: SignedInRequest) -> HttpResponse:
    """Keep how this person wants to be told by e-mail."""
    minutes = request.POST.get("digest_minutes", "")
    try:
        prefer(
            user=request.user,
            mail=request.POST.get("mail", ""),
            digest_minutes=int(minutes) if minutes.isdecimal() else 0,
        )
    except ValueError:
        messages.error(request, "Between 5 and 1,440 minutes.")
    else:
        messages.success(request, "Kept.")
    return redirect("exceptions:notices")
