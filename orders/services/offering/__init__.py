"""Changes of what prices hang on, as the policy of sensitive changes lets them happen."""

from orders.services.offering._changing import OfferOutcome, OfferRow, change_offers

__all__ = ["OfferOutcome", "OfferRow", "change_offers"]
