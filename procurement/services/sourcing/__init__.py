"""Purchases that the decision layer chose for demand that is short."""

from procurement.services.sourcing._buying import buy_for_demand, call_off_purchase

__all__ = ["buy_for_demand", "call_off_purchase"]
