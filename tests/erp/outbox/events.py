"""Facts and handlers that exist for the tests of the outbox alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event
from erp.outbox import registry
from erp.outbox.registry import Envelope, Form, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Event):
    name: ClassVar[str] = "tests.rang"

    bell: int
    note: str = ""
    entity_id: int | None = None

    @property
    def key(self) -> str:
        return f"bell:{self.bell}" if self.bell else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Event):
    name: ClassVar[str] = "tests.heard"

    bell: int


@contextmanager
def listening(
    handler: Callable[[Rang], None]
    | Callable[[Sequence[Rang]], None]
    | Callable[[Sequence[Envelope]], None],
    *,
    name: str = "tests.listen",
    form: Form = Form.SINGLE,
    event_type: type[Event] = Rang,
) -> Iterator[str]:
    """Register a handler for the length of a test."""
    before = dict(registry._subscriptions)
    registry._subscriptions[name] = Subscription(event_type, handler, form)
    registry._names_by_type.clear()
    try:
        yield name
    finally:
        registry._subscriptions.clear()
        registry._subscriptions.update(before)
        registry._names_by_type.clear()
