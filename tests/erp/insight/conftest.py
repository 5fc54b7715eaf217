"""Fixtures of the insight tests: one company with orders at several stages."""

import pytest

from erp.accounts.models import Entity
from erp.governance.services import ensure_builtin_policies
from tests.finance import factories
from tests.finance.factories import World


@pytest.fixture
def where(db: None) -> World:
    ensure_builtin_policies(now=factories.NOW)
    return factories.world()


@pytest.fixture
def entity(where: World) -> Entity:
    return where.entity
