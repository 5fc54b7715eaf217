"""Cells that a spreadsheet program will not take for a formula."""

from decimal import Decimal, InvalidOperation

STARTERS = ("=", "+", "-", "@", "\t", "\r")


def neutralized(cell: str) -> str:
    """Return `cell` with a leading quote where a spreadsheet would run it; numbers stay numbers."""
    if not cell.startswith(STARTERS):
        return cell
    try:
        Decimal(cell)
    except InvalidOperation:
        return f"'{cell}"
    return cell
