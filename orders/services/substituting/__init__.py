"""Answers what customers say to another product in place of theirs."""

from orders.services.substituting._answering import (
    AnsweredOtherwise,
    NotThereAnyMore,
    accept_substitution,
    decline_substitution,
    send_instead,
    withdraw_substitutions,
)

__all__ = [
    "AnsweredOtherwise",
    "NotThereAnyMore",
    "accept_substitution",
    "decline_substitution",
    "send_instead",
    "withdraw_substitutions",
]
