"""What a policy declares about itself beside the types of its facts and outcomes.

Written in the policy's TOML file:

    money = "total"              # the fact that says how much is at stake, in the entity's currency
    currency = "currency"        # the fact that names the currency, where it is not the entity's
    customer = "customer"        # the fact that names who gains or loses
    simulation = "held"          # the page speaks of what a version would have held
    agree = ["hold"]             # rows that hold together say the same about these outcomes

    [facts]
    tier = { type = "text", values = ["A", "B", "C", "D"] }

    [better]                     # what is good for the subject: a value, or "lower" or "higher"
    hold = false

    [chain]                      # who comes next: `next` names a role, `fact` the present one
    fact = "role"
    next = "next_role"
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAMES = ("money", "currency", "customer", "simulation", "agree", "better", "chain")
DIRECTIONS = ("lower", "higher")


class BadTraits(ValueError):
    """A policy declares something about facts or outcomes that it does not have: a bug of ours."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a policy. `values` are the texts a fact or outcome may have, by its name.

    `chain` has `next` (the outcome that names who comes next, or is 0 or empty at the end) and
    either `fact` (who has it now) or `level` (how often it was passed on before).
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    money: str = ""
    currency: str = ""
    customer: str = ""
    simulation: str = ""
    agree: tuple[str, ...] = ()
    better: Mapping[str, Any] = field(default_factory=dict)
    chain: Mapping[str, str] = field(default_factory=dict)


NO_TRAITS = Traits()


def traits_of(stored: Mapping[str, Any]) -> Traits:
    """Return the traits that were stored with a policy."""
    known: dict[str, Any] = {name: stored[name] for name in NAMES if name in stored}
    if "agree" in known:
        known["agree"] = tuple(known["agree"])
    values = {name: tuple(each) for name, each in stored.get("values", {}).items()}
    return Traits(values=values, **known)


def declared(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a policy's file declares: its code, title, fields, outcomes, traits and limits.

    Raises:
        BadTraits: it names a fact or an outcome that it does not declare.
    """
    facts, fact_values = _typed(raw["facts"])
    outcomes, outcome_values = _typed(raw["outcomes"])
    traits: dict[str, Any] = {name: raw[name] for name in NAMES if name in raw}
    if values := {**fact_values, **outcome_values}:
        traits["values"] = values
    _check(raw["code"], traits, facts, outcomes)
    limits: dict[str, Any] = {"policy": raw.get("override", "overridable")}
    limits["outcomes"] = dict(raw.get("bounds", {}))
    return {
        "code": raw["code"],
        "title": raw["title"],
        "fields": facts,
        "outcomes": outcomes,
        "traits": traits,
        "limits": limits,
    }


def _typed(raw: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Sequence[str]]]:
    types: dict[str, str] = {}
    values: dict[str, Sequence[str]] = {}
    for name, said in raw.items():
        types[name] = said if isinstance(said, str) else said["type"]
        if not isinstance(said, str) and "values" in said:
            values[name] = list(said["values"])
    return types, values


def _check(
    code: str, traits: Mapping[str, Any], facts: Mapping[str, str], outcomes: Mapping[str, str]
) -> None:
    chain = traits.get("chain", {})
    of_facts = [traits.get(name) for name in ("money", "currency", "customer")]
    of_facts += [chain.get("fact"), chain.get("level")]
    of_outcomes = [*traits.get("agree", ()), *traits.get("better", {}), chain.get("next")]
    for name in of_facts:
        if name and name not in facts:
            raise BadTraits(f"{code} declares no fact {name}")
    for name in of_outcomes:
        if name and name not in outcomes:
            raise BadTraits(f"{code} declares no outcome {name}")
