"""Credit of an account: what is to be expected of it, and terms that somebody must agree to."""

from orders.services.crediting._asking import request_credit_terms
from orders.services.crediting._foreseeing import CreditOutlook, Foreseen, foresee_credit

__all__ = [
    "CreditOutlook",
    "Foreseen",
    "foresee_credit",
    "request_credit_terms",
]
