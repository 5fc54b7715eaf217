"""The request as our views see it: somebody is signed in, and htmx may be asking."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from erp.accounts.models import User


class SignedInRequest(HttpRequest):
    """`scope(permission)` is the entities this request may touch with that permission."""

    user: "User"
    htmx: HtmxDetails
    scope: Callable[[str], frozenset[int]]
