"""What suppliers send straight to customers passes through the books, and lies nowhere."""

from inventory.services._shipping import Bought
from inventory.services.dropping._passing import PassedLine, direct_node, pass_through

__all__ = ["Bought", "PassedLine", "direct_node", "pass_through"]
