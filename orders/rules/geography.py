"""Countries as people write them, as ISO 3166 codes."""

from functools import cache

from holidays.registry import COUNTRIES

from orders.rules.naming import plain

# Other names that stand on orders; the rest is in the registry of calendars.
ALIASES = {
    "america": "US", "u s a": "US", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "syria": "SY", "dprk": "KP", "korea": "KR",
    "republic of korea": "KR", "deutschland": "DE", "osterreich": "AT", "schweiz": "CH",
    "espana": "ES", "italia": "IT", "brasil": "BR", "czech republic": "CZ", "holland": "NL",
    "the netherlands": "NL", "russian federation": "RU", "turkiye": "TR", "viet nam": "VN",
    "islamic republic of iran": "IR", "republic of ireland": "IE",
    "peoples republic of china": "CN", "cote divoire": "CI",
}  # fmt: skip


def country_code(text: str) -> str:
    """Return the two letters of a country; empty where nothing is written or it is not known."""
    said = plain(text)
    return _known().get(said) or _known().get(said.replace(" ", ""), "")


@cache
def _known() -> dict[str, str]:
    known = dict(ALIASES)
    for key, (_name, *codes) in COUNTRIES.items():
        spelled = key.replace("_", " ")
        for each in (spelled, spelled.replace(" ", ""), *(code.lower() for code in codes)):
            known.setdefault(each, codes[0])
    return known
