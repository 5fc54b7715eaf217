"""Slows down who guesses passwords: after some bad tries, sign-in rests for some minutes."""

import hashlib
import logging
from collections.abc import Iterator

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

logger = logging.getLogger(__name__)
LOCKED_MINUTES = 10
TRIES_MAX = 5  # of one account from one address
TRIES_MAX_ACCOUNT = 25  # of one account from anywhere
TRIES_MAX_ADDRESS = 50  # of any account from one address

# Without Redis each process counts for itself: the limit grows with the processes, never to none.
OWN = LocMemCache("sign-in-tries", {})


def keys(username: str, address: str) -> Iterator[tuple[str, int]]:
    """Yield the counters that one try belongs to, each with the number of bad tries it allows."""
    account = hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]
    yield f"sign-in:{account}:{address}", TRIES_MAX
    yield f"sign-in:{account}", TRIES_MAX_ACCOUNT
    yield f"sign-in::{address}", TRIES_MAX_ADDRESS


def stores() -> list[BaseCache]:
    """Return where to count: the shared cache and this process."""
    return [cache, OWN]


def is_locked(username: str, address: str) -> bool:
    """Test if this account must wait before the next try from this address."""
    limits = dict(keys(username, address))
    for store in stores():
        try:
            tries = store.get_many(list(limits))
        except Exception:  # noqa: BLE001  the other store still counts
            logger.warning("The cache does not answer; sign-in tries are counted in the process.")
            continue
        if any(tries.get(key, 0) >= allowed for key, allowed in limits.items()):
            return True
    return False


def count_bad_try(username: str, address: str) -> None:
    """Count one bad try; the counters fall back to nothing `LOCKED_MINUTES` after the first."""
    for store in stores():
        try:
            for key, _allowed in keys(username, address):
                store.add(key, 0, LOCKED_MINUTES * 60)
                store.incr(key)
        except ValueError:  # it expired in between
            continue
        except Exception:  # noqa: BLE001
            logger.warning("The cache does not answer; sign-in tries are counted in the process.")


def forget_tries(username: str, address: str) -> None:
    """Start counting anew after a good sign-in; other accounts' tries stay counted."""
    key = next(keys(username, address))[0]
    for store in stores():
        try:
            store.delete(key)
        except Exception:  # noqa: BLE001
            logger.warning("The cache does not answer; sign-in tries stay counted.")
