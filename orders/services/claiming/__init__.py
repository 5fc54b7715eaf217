"""Who works on which hold."""

from orders.services.claiming._taking import claim_holds, give_back_holds

__all__ = ["claim_holds", "give_back_holds"]
