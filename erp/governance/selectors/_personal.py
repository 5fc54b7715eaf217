"""Personal values of the audit trail: in the clear until they are erased."""

from typing import Any

from erp.governance.models import PersonalDatum

ERASED = "(erased)"


def in_the_clear(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put personal values in place of their commitments in `before` and `after` of these rows.

    An erased one reads "(erased)". One query, and none where nothing is personal.
    """
    sides = [row[name] for row in found for name in ("before", "after") if row[name]]
    asked = {c for side in sides for value in side.values() if (c := _commitment(value))}
    if not asked:
        return found
    known = dict(
        PersonalDatum.objects.filter(commitment__in=asked, erased_at=None).values_list(
            "commitment", "value"
        )
    )
    for side in sides:
        for name, value in side.items():
            if commitment := _commitment(value):
                side[name] = known.get(commitment, ERASED)
    return found


def _commitment(value: Any) -> str:
    """Return the commitment that stands in place of a personal value; empty for any other."""
    is_personal = isinstance(value, dict) and value.keys() == {"personal"}
    return str(value["personal"]) if is_personal else ""
