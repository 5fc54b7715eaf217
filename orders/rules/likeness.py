"""If a customer is one that we have already, and how complete is what we know of them."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

# Words that say what a company is in law, not which one it is.
LEGAL = {
    "ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited",
    "llc", "ltd", "nv", "oy", "plc", "sa", "sarl", "se", "spa", "srl", "the",
}  # fmt: skip
LIKE = Decimal("0.6")
WEIGHTS = {
    "name": 20, "address": 15, "city": 10, "postal_code": 10, "country": 15, "email": 10,
    "phone": 5, "contact": 5, "tax_id": 10,
}  # fmt: skip


def plain_name(name: str) -> str:
    """Return a name without accents, case, punctuation and legal forms."""
    flat = unicodedata.normalize("NFKD", name.casefold())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    words = re.findall(r"[a-z0-9]+", flat)
    return " ".join(word for word in words if word not in LEGAL) or " ".join(words)


def plain_tax_id(tax_id: str) -> str:
    """Return a tax number as letters and digits alone."""
    return re.sub(r"[^0-9A-Z]", "", tax_id.upper())


def likeness(one: str, other: str) -> Decimal:
    """Return how alike two names are, 0 to 1: the share of three-letter pieces they have in common.

    The same either way round; a name is fully like itself.
    """
    first, second = _pieces(plain_name(one)), _pieces(plain_name(other))
    whole = len(first | second)
    return Decimal(len(first & second)) / whole if whole else Decimal(0)


def completeness(fields: Mapping[str, str]) -> tuple[int, list[str]]:
    """Return how complete a customer is, 0 to 100, and what is missing, the weightiest first."""
    missing = [name for name in WEIGHTS if not str(fields.get(name, "")).strip()]
    score = sum(WEIGHTS.values()) - sum(WEIGHTS[name] for name in missing)
    return score, sorted(missing, key=lambda name: -WEIGHTS[name])


def _pieces(text: str) -> set[str]:
    return {
        padded[start : start + 3]
        for word in text.split()
        for padded in [f"  {word} "]
        for start in range(len(padded) - 2)
    }
