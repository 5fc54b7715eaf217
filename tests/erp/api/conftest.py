import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from tests.conftest import grant


@pytest.fixture
def client_of_clerk(clerk: User, entity: Entity) -> APIClient:
    """Signed in as somebody who may do everything with notes."""
    grant(clerk, "accounts.view_entity", entity)
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(clerk)
    return client
