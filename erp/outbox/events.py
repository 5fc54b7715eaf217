"""Facts about the outbox itself."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDied(Event):
    """A handler failed at a fact for the last time; somebody must look and replay it."""

    name: ClassVar[str] = "outbox.delivery_died"

    delivery_id: int
    handler: str
    event_name: str
    event_key: str
    error: str
    entity_id: int | None = None
