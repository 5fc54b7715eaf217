"""Tells the open pages that something they may show has changed."""

from collections.abc import Sequence

from erp.kernel.events import Event
from erp.outbox.registry import Envelope, subscribe_messages
from erp.web.live import announce_all
from erp.web.rules.topics import topics_of


@subscribe_messages(Event)
def tell_open_pages(facts: Sequence[Envelope]) -> None:
    """Announce each topic and entity of these facts once. Told twice, a page only reads again."""
    announce_all(
        (topic, fact.entity_id, fact.key)
        for fact in facts
        if fact.entity_id is not None
        for topic in topics_of(fact.name)
    )
