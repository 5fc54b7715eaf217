"""Slows down who guesses passwords: after some bad tries, sign-in rests for some minutes."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from erp.kernel.breaker import Breaker

LOCKED_MINUTES = 10
TRIES_MAX = 5  # of one account from one address
TRIES_MAX_ACCOUNT = 25  # of one account from anywhere
TRIES_MAX_ADDRESS = 50  # of any account from one address

# Without Redis each process counts for itself: the limit grows with the processes, never to none.
OWN = LocMemCache("sign-in-tries", {})
breaker = Breaker("counting sign-in tries")


def keys(username: str, address: str) -> Iterator[tuple[str, int]]:
    """Yield the counters that one try belongs to, each with the number of bad tries it allows."""
    account = hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]
    yield f"sign-in:{account}:{address}", TRIES_MAX
    yield f"sign-in:{account}", TRIES_MAX_ACCOUNT
    yield f"sign-in::{address}", TRIES_MAX_ADDRESS


def is_locked(username: str, address: str) -> bool:
    """Test if this account must wait before the next try from this address."""
    limits = dict(keys(username, address))
    nothing: dict[str, int] = {}
    shared = breaker.attempt(lambda: cache.get_many(list(limits)), nothing)
    own = OWN.get_many(list(limits))
    return any(
        max(shared.get(key, 0), own.get(key, 0)) >= allowed for key, allowed in limits.items()
    )


def count_bad_try(username: str, address: str) -> None:
    """Count one bad try; the counters fall back to nothing `LOCKED_MINUTES` after the first."""
    counters = [key for key, _allowed in keys(username, address)]
    _count(OWN, counters)
    breaker.attempt(lambda: _count(cache, counters), None)


def _count(store: BaseCache, counters: list[str]) -> None:
    for key in counters:
        store.add(key, 0, LOCKED_MINUTES * 60)
        with suppress(ValueError):  # it expired in between
            store.incr(key)


def forget_tries(username: str, address: str) -> None:
    """Start counting anew after a good sign-in; other accounts' tries stay counted."""
    key = next(keys(username, address))[0]
    OWN.delete(key)
    breaker.attempt(lambda: cache.delete(key), otherwise=False)
