"""Facts about goods within a node."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsMovedInBins(Event):
    """Goods were put away, brought down to a pick face or moved; no balance changed."""

    name: ClassVar[str] = "inventory.goods_moved_in_bins"
    entity_id: int
    node_id: int

    @property
    def key(self) -> str:
        return f"node:{self.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinFoundShort(Event):
    """Less of a balance lay in a bin than it was said to hold; somebody should count it."""

    name: ClassVar[str] = "inventory.bin_found_short"
    stock_id: int
    bin_id: int
    bin: str
    entity_id: int
    node_id: int
    product_id: int
    reason: str

    @property
    def key(self) -> str:
        return f"stock:{self.stock_id}"
