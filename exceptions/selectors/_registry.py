"""The closed list of what may be a case."""

from exceptions.selectors._coming_types import COMING_TYPES
from exceptions.selectors._house_types import HOUSE_TYPES
from exceptions.selectors._moving_types import MOVING_TYPES
from exceptions.selectors._order_types import ORDER_TYPES
from exceptions.selectors._supply_types import SUPPLY_TYPES
from exceptions.selectors._system_types import SYSTEM_TYPES
from exceptions.selectors._types import CaseType, Pace

TYPES: dict[str, CaseType] = {
    kind.code: kind
    for kind in [
        *ORDER_TYPES, *SUPPLY_TYPES, *MOVING_TYPES, *COMING_TYPES, *SYSTEM_TYPES, *HOUSE_TYPES,
    ]
}  # fmt: skip


def register_type(kind: CaseType) -> None:
    """Add a type of an app above, while the apps load. Telling it again replaces it."""
    TYPES[kind.code] = kind


def case_type(code: str) -> CaseType:
    """Return a type by its code.

    Raises:
        KeyError: there is none such.
    """
    return TYPES[code]


def label_of(code: str) -> str:
    """Return what people call a type; its code where this release knows none such."""
    return TYPES[code].label if code in TYPES else code


def gathering_types() -> list[str]:
    """Return the codes of the types whose cases gather those that they brought about."""
    return [kind.code for kind in TYPES.values() if kind.gathers]


def types_at(*paces: Pace) -> list[str]:
    """Return the codes of the types whose conditions come and go at one of `paces`."""
    return [kind.code for kind in TYPES.values() if kind.pace in paces]
