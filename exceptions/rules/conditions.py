"""A condition of the world that needs somebody, as detection found it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exceptions.rules.exposure import Exposure

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that is so right now about one subject, and what it puts at stake.

    `order_id` is the order it hurts, `cause` (kind, id) what brought it about, if anything did.
    `facts` are what its plays and its page want to know.
    """

    type: str
    subject_kind: str
    subject_id: int
    subject_label: str
    entity_id: int
    currency: str
    summary: str
    exposure: Exposure
    order_id: int | None = None
    party: str = ""
    facts: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    cause: tuple[str, int] | None = None

    @property
    def key(self) -> Key:
        return (self.type, self.subject_kind, self.subject_id)

    def reasons(self) -> dict[str, str | int | bool | None]:
        """Return the figures and facts as they are kept on the case."""
        return {**self.exposure.figures(), **self.facts}
