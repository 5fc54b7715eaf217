"""Codes on the outside, ids on the inside."""

from collections.abc import Mapping
from typing import Any

from erp.api.problems import ErrorDetail, ValidationError
from procurement.selectors import ids_of


def coded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with `entity` for `entity_code`, and so on."""
    return {name.removesuffix("_code"): value for name, value in row.items()}


def id_of(kind: str, code: str) -> int:
    """Return the id of a product, node or supplier.

    Raises:
        ValidationError: there is none of that code; the field is named.
    """
    found = ids_of(kind, [code])
    if code not in found:
        message = f"There is no {kind} {code[:40]!r}."
        raise ValidationError({kind: [ErrorDetail(message, "unknown")]})
    return found[code]
