"""Everything that changes by whom and when a shipment goes, once it was planned."""

from inventory.services.rerouting._rerouting import UnknownCarrier, reroute_shipment

__all__ = ["UnknownCarrier", "reroute_shipment"]
