"""What finance's tests share."""

import pytest

from tests.finance import factories
from tests.finance.factories import World


@pytest.fixture
def world(db: None) -> World:
    """One entity with open books, a node and a customer."""
    return factories.world()
