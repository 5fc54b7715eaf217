"""What to do without when it does not answer."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Breaker:
    """Guards a service that is nice to have: after a failure it is left alone for a while.

    A frozen server would otherwise cost every caller its time-out. One breaker serves a process.
    """

    def __init__(self, name: str, *, rest_seconds: float = 5.0) -> None:
        self.name = name
        self.rest_seconds = rest_seconds
        self._resting_until = 0.0

    def attempt(self, call: Callable[[], T], otherwise: T) -> T:
        """Return what `call` returns, or `otherwise` when it fails or the service is resting."""
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return call()
        except Exception as error:  # noqa: BLE001  it may fail in any way, and none matters here
            self._resting_until = time.monotonic() + self.rest_seconds
            logger.warning("%s does without its service: %r", self.name, error)
            return otherwise

    def reset(self) -> None:
        """Ask the service again at once."""
        self._resting_until = 0.0
