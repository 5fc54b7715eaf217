"""Fixtures of the exceptions tests."""

import pytest

from erp.accounts.models import Entity
from tests.exceptions import factories


@pytest.fixture
def now() -> object:
    """A Monday morning in New York."""
    return factories.NOW


@pytest.fixture
def entity(db: None) -> Entity:
    """The company that a test is about, with the policies every installation brings along."""
    factories.policies()
    return factories.company()
