"""How much waits behind a navigation item. Kept in the cache for some seconds, never required."""

import logging
from collections.abc import Sequence

from django.core.cache import cache
from django.http import HttpRequest

from erp.accounts.models import User
from erp.web.selectors import waiting_behind

logger = logging.getLogger(__name__)
KEPT_SECONDS = 15


def cached_counts(request: HttpRequest, url_names: Sequence[str]) -> dict[str, int]:
    """Return the counts of the items, fresh to `KEPT_SECONDS`; without a cache they are counted."""
    user = request.user
    if not url_names or not isinstance(user, User):
        return {}
    chosen = request.session.get("entity", "all")
    keys = {name: f"nav:{user.pk}:{chosen}:{name}" for name in url_names}
    try:
        kept = cache.get_many(list(keys.values()))
    except Exception:  # noqa: BLE001  a page is drawn with or without Redis
        logger.warning("The cache does not answer; navigation counts are computed each time.")
        kept = {}
    found = {name: int(kept[key]) for name, key in keys.items() if key in kept}
    fresh = {
        name: waiting_behind(name, user, request.scope)  # type: ignore[attr-defined]
        for name in url_names
        if name not in found
    }
    if fresh:
        try:
            cache.set_many({keys[name]: count for name, count in fresh.items()}, KEPT_SECONDS)
        except Exception:  # noqa: BLE001
            logger.warning("The cache does not answer; navigation counts are not kept.")
    return found | fresh
