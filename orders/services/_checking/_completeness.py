"""Whether everything is there that shipping and invoicing need."""

from collections.abc import Sequence
from datetime import datetime

from orders.models import Hold
from orders.services._checking._case import Case, Finding, ask_each


def check_completeness(cases: Sequence[Case], now: datetime) -> Finding:
    """Ask of each order if everything is there that shipping and invoicing need."""
    facts = [
        {
            "lines": case.lines,
            "total": case.total,
            "has_address": case.has_address,
            "ship_country": case.ship_country or None,
            "country": case.country or None,
            "has_tax_id": case.has_tax_id,
            "customer_blocked": case.customer_blocked,
            "blocked_products": case.blocked_products,
            "unknown_uoms": case.unknown_uoms,
            "below_minimum": case.below_minimum,
            "off_multiple": case.off_multiple,
            "has_terms": case.agreed_terms_days is not None,
            "customer_po": case.customer_po or None,
            "tier": case.tier,
            "channel": case.channel,
        }
        for case in cases
    ]
    return ask_each("orders.release.completeness", Hold.Kind.COMPLETENESS.value, cases, facts)
