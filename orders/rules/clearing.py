"""What would let a held order go on: the smallest change, in a sentence."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

OWN = {
    "completeness": "Complete what is missing on the order or the customer.",
    "price": "Agree the price, or put the order's back to it.",
    "margin": "Raise the price or lower the cost until the margin is above its floor.",
    "duplicate": "Cancel one of the two orders.",
    "promise": "Accept another date.",
    "manual": "Whoever stopped it, or their role, lets it go.",
}


def would_clear(kind: str, facts: Mapping[str, Any], over: Decimal, currency: str) -> str:
    """Say what is missing. `over` is by how much the order exceeds the limit, in `currency`.

    Credit: the exact amount of limit or payment. Compliance: the first thing its receipt misses.
    """
    if kind == "credit" and over > 0:
        return f"{currency} {over:,.2f} more limit, or as much paid."
    if kind == "credit":
        return "Pay what is overdue, or take the account off hold."
    if kind == "compliance":
        receipt = facts.get("receipt") or []
        missing = [str(each.get("missing", "")) for each in receipt if each.get("missing")]
        matches = any(str(each.get("outcome", "")).startswith("match") for each in receipt)
        if matches:
            return "Review the match: rejected, the order goes on."
        return missing[0] if missing else "An exception, a licence or a certificate."
    return OWN.get(kind, "")
