"""Which other products may go out for lines: pairs, as the policy and what was learnt have it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from erp.governance.services import Question, decide
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import PER_UNIT, Consent, Substitution
from inventory.selectors import SubstitutePair, substitute_pairs

POLICY = "orders.substitution"
CONSENTS = {"ask": Consent.ASK, "always": Consent.ALWAYS, "never": Consent.NEVER}

LEARNT = Prepared("""
    SELECT product_id, other_id, count(*), count(*) FILTER (WHERE state = 'accepted')
    FROM orders_substitution
    WHERE product_id = ANY(%(products)s::bigint[]) AND state IN ('accepted', 'declined')
    GROUP BY product_id, other_id
""")


@dataclass(frozen=True, slots=True)
class Pairs:
    """What may go out for what: for the engine, and by (product, other) for people."""

    substitutions: Sequence[Substitution] = ()
    by_key: Mapping[tuple[int, int], SubstitutePair] = field(default_factory=dict)
    policy_version: str = ""


def pairs_of(entity_id: int, product_ids: Collection[int], now: datetime) -> Pairs:
    """Return what may go out for these products now. One query, three where there is anything.

    Within a rank the pair goes first that customers took most often when asked, counted as if one
    more had agreed and one more had not: who was never asked stands at a half.
    """
    found = substitute_pairs(product_ids=product_ids, on=now.date())
    if not found:
        return Pairs()
    learnt = {
        (product, other): (asked, accepted)
        for product, other, asked, accepted in rows(LEARNT, {"products": list(product_ids)})
    }
    shares = {pair.id: _share(*learnt.get(_key(pair), (0, 0))) for pair in found}
    questions = [
        Question(
            entity_id,
            "inventory.substitute",
            pair.id,
            {
                "product": pair.product,
                "other": pair.other,
                "reason": pair.reason,
                "consent": pair.consent,
                "price_rule": pair.price_rule,
                "asked": learnt.get(_key(pair), (0, 0))[0],
                "accepted_share": shares[pair.id].quantize(Decimal("0.0001")),
            },
        )
        for pair in found
    ]
    said = decide(policy=POLICY, questions=questions, now=now, keep=False)
    ranked = sorted(found, key=lambda pair: (pair.rank, -shares[pair.id], pair.id))
    place = {pair.id: number for number, pair in enumerate(ranked)}
    return Pairs(
        [
            _substitution(pair, str(decision.outcome["consent"]), place[pair.id])
            for pair, decision in zip(found, said, strict=True)
        ],
        {_key(pair): pair for pair in found},
        said[0].policy_version,
    )


def _key(pair: SubstitutePair) -> tuple[int, int]:
    return pair.product_id, pair.other_id


def _substitution(pair: SubstitutePair, said: str, rank: int) -> Substitution:
    """Return a pair as the engine takes it: valid, as it was found so for today."""
    consent = CONSENTS[pair.consent if said == "as_pair" else said]
    if consent is not Consent.NEVER and (pair.is_controlled or pair.price_rule == "substitute"):
        consent = Consent.EVERY_TIME
    scale = 1 if pair.units == pair.per == 1 else PER_UNIT  # else in whole exchanges
    return Substitution(
        pair.product_id,
        pair.other_id,
        units=pair.units * scale,
        per=pair.per * scale,
        consent=consent,
        rank=rank,
    )


def _share(asked: int, accepted: int) -> Decimal:
    return Decimal(accepted + 1) / Decimal(asked + 2)
