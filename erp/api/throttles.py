"""How much one client may ask."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from erp.kernel.breaker import Breaker

if TYPE_CHECKING:  # DRF loads this module while it loads its own views
    from rest_framework.views import APIView

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
breaker = Breaker("counting API requests")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client has left: `remaining` of `limit` requests until `resets_in` seconds pass."""

    limit: int
    remaining: int
    resets_in: int

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.remaining, 0)),
            "X-RateLimit-Reset": str(self.resets_in),
        }


class ClientThrottle(BaseThrottle):
    """Counts the requests of one key, user or address in windows of fixed length.

    A count is one small number in the cache. A cache that does not answer refuses nobody.
    """

    scope = "client"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit, seconds = parsed_rate(str(api_settings.DEFAULT_THROTTLE_RATES[self.scope]))
        now = time.time()
        key = f"throttle:{self.scope}:{self.client_of(request)}:{int(now // seconds)}"
        used = breaker.attempt(lambda: _count(key, seconds), otherwise=0)
        self.allowance = Allowance(limit, limit - used, int(seconds - now % seconds) + 1)
        request._request.allowance = self.allowance  # type: ignore[attr-defined]  # noqa: SLF001
        return used <= limit

    def wait(self) -> float:
        return self.allowance.resets_in

    def client_of(self, request: Request) -> str:
        """Return whose requests are counted together."""
        key_prefix = getattr(request.auth, "prefix", None)
        if key_prefix:
            return f"key-{key_prefix}"
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return f"address-{self.get_ident(request)}"


def parsed_rate(rate: str) -> tuple[int, int]:
    """Read "6000/min" as 6,000 requests in 60 seconds."""
    count, _, period = rate.partition("/")
    return int(count), SECONDS[period[0]]


def _count(key: str, seconds: int) -> int:
    if cache.add(key, 1, timeout=seconds + 1):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two calls
        return 1
