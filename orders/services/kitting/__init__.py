"""Everything that changes kits."""

from orders.services.kitting._writing import KitPart, KitRefused, NestedKit, save_kit

__all__ = ["KitPart", "KitRefused", "NestedKit", "save_kit"]
