"""Everything that changes kits."""

from orders.services.kitting._writing import PARTS_MAX, KitPart, KitRefused, NestedKit, save_kit

__all__ = ["PARTS_MAX", "KitPart", "KitRefused", "NestedKit", "save_kit"]
