"""Facts that the edge tells the other apps."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettled(Event):
    """An import was checked, loaded or given up. `wrong` of its rows cannot be loaded."""

    name: ClassVar[str] = "partners.import_settled"
    job_id: int
    entity_id: int
    state: str
    wrong: int

    @property
    def key(self) -> str:
        return f"import:{self.job_id}"
