"""What the shelf cannot give: weighed, proposed, asked for."""

from inventory.services.sourcing._looking import weigh_outside

__all__ = ["weigh_outside"]
