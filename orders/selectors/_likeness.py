"""Customers who may be the one that somebody is about to add."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import rows
from orders.rules import LIKE, likeness, plain_name, plain_tax_id

CANDIDATES_MAX = 2_000
SAME = Decimal(2)  # before any likeness of names

# The first letters of any word of the name narrow what is compared piece by piece.
CANDIDATES = """
    SELECT c.code, c.name, c.city, c.tax_id, c.email
    FROM orders_customer c
    WHERE EXISTS (SELECT FROM orders_creditaccount a
                  WHERE a.customer_id = c.id AND a.entity_id = ANY(%(entities)s))
      AND ((%(email)s <> '' AND lower(c.email) = %(email)s)
       OR (%(tax_id)s <> '' AND regexp_replace(upper(c.tax_id), '[^0-9A-Z]', '', 'g') = %(tax_id)s)
       OR c.name ILIKE ANY(%(words)s))
    ORDER BY c.id
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A customer who may be meant, and why: tax number, e-mail or name."""

    code: str
    name: str
    city: str
    why: str


def lookalikes(
    *,
    entity_ids: Collection[int],
    name: str,
    tax_id: str = "",
    email: str = "",
    limit: int = 5,
) -> list[Lookalike]:
    """Return customers of these entities with the same tax number or e-mail, or much of the name.

    The likeliest first. One query.
    """
    wanted_tax, wanted_email = plain_tax_id(tax_id), email.strip().lower()
    words = [f"%{word[:3]}%" for word in plain_name(name).split() if len(word) > 2]  # noqa: PLR2004
    asked = {
        "entities": sorted(entity_ids),
        "email": wanted_email,
        "tax_id": wanted_tax,
        "words": words or [""],
        "limit": CANDIDATES_MAX,
    }
    found: list[tuple[Decimal, Lookalike]] = []
    for code, other, city, their_tax, their_email in rows(CANDIDATES, asked):
        alike = likeness(name, other)
        if wanted_tax and plain_tax_id(their_tax) == wanted_tax:
            found.append((SAME, Lookalike(code, other, city, "tax_id")))
        elif wanted_email and their_email.lower() == wanted_email:
            found.append((SAME, Lookalike(code, other, city, "email")))
        elif alike >= LIKE:
            found.append((alike, Lookalike(code, other, city, "name")))
    found.sort(key=lambda pair: (-pair[0], pair[1].code))
    return [each for _, each in found[:limit]]
