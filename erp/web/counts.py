"""How much waits behind a navigation item. Kept in the cache for some seconds, never required."""

from collections.abc import Sequence

from django.core.cache import cache
from django.http import HttpRequest

from erp.accounts.models import User
from erp.kernel.breaker import Breaker
from erp.web.selectors import all_waiting

KEPT_SECONDS = 15
breaker = Breaker("counting what waits")


def cached_counts(request: HttpRequest, url_names: Sequence[str]) -> dict[str, int]:
    """Return the counts of the items, fresh to `KEPT_SECONDS`; without a cache they are counted."""
    user = request.user
    if not url_names or not isinstance(user, User):
        return {}
    chosen = request.session.get("entity", "all")
    keys = {name: f"nav:{user.pk}:{chosen}:{name}" for name in url_names}
    nothing: dict[str, int] = {}
    kept = breaker.attempt(lambda: cache.get_many(list(keys.values())), nothing)
    found = {name: int(kept[key]) for name, key in keys.items() if key in kept}
    missing = [name for name in url_names if name not in found]
    fresh = all_waiting(missing, user, request.scope)  # type: ignore[attr-defined]
    if fresh:
        by_key = {keys[name]: count for name, count in fresh.items()}
        breaker.attempt(lambda: cache.set_many(by_key, KEPT_SECONDS), [])
    return found | fresh
