"""What companies of the house ask of one another."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from erp.accounts.models import Entity
from erp.governance.services import Question, ask_policy

POLICY = "finance.transfer_price"


def house_markups(
    pairs: Collection[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], Decimal]:
    """Return the share that sellers put on their cost, by (seller's code, buyer's code).

    What a price below nothing would be is left out: it is refused when it is to be sold. One query.
    """
    sellers = {
        entity.code: entity for entity in Entity.objects.filter(code__in={s for s, _ in pairs})
    }
    asked = [(seller, buyer) for seller, buyer in sorted(set(pairs)) if seller in sellers]
    questions = [
        Question(
            sellers[seller].pk,
            "accounts.entity",
            sellers[seller].pk,
            {"seller": seller, "buyer": buyer, "amount": 0, "currency": sellers[seller].currency},
        )
        for seller, buyer in asked
    ]
    answers = ask_policy(policy=POLICY, questions=questions, now=now)
    markups = {
        pair: Decimal(str(answer.decision.outcome["markup"]))
        for pair, answer in zip(asked, answers, strict=True)
    }
    return {pair: markup for pair, markup in markups.items() if markup > -1}
