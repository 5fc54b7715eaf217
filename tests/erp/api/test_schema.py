"""erp/api/schema.py"""

import json

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from erp.api import schema


def test_the_document_of_this_release_has_no_warning() -> None:
    GENERATOR_STATS.reset()

    SchemaGenerator().get_schema(request=None, public=True)

    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


@pytest.mark.urls("tests.erp.api.resource")
class TestDocument:
    @pytest.fixture(autouse=True)
    def _generate_anew(self) -> None:
        schema.document.cache_clear()

    def test_every_operation_says_how_it_refuses(self) -> None:
        response = Client().get("/api/schema/", headers={"Accept": "application/json"})

        document = json.loads(response.content)
        notes = document["paths"]["/api/v1/notes/"]
        problem = {"$ref": "#/components/schemas/Problem"}
        refused = notes["post"]["responses"]["409"]["content"]["application/problem+json"]
        assert refused["schema"] == problem
        assert "Idempotency-Key" in [p["name"] for p in notes["post"]["parameters"]]
        assert notes["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/PaginatedNoteOutputList"
        }
        names = {p["name"] for p in notes["get"]["parameters"]}
        assert {"cursor", "page_size", "ordering", "source", "after"} <= names
        assert {"apiKey": []} in notes["get"]["security"]
        schema.document.cache_clear()

    def test_it_has_no_warning(self) -> None:
        GENERATOR_STATS.reset()

        SchemaGenerator().get_schema(request=None, public=True)

        assert not GENERATOR_STATS._warn_cache
        assert not GENERATOR_STATS._error_cache

    def test_it_is_yaml_unless_asked_otherwise(self) -> None:
        assert Client().get("/api/schema/").content.startswith(b"openapi: 3.1")
        assert Client().get("/api/schema/?format=json").content.startswith(b"{")
        schema.document.cache_clear()

    def test_its_page_asks_nothing_of_the_outside(self) -> None:
        page = Client().get("/api/docs/").content.decode()

        assert "swagger" in page
        assert "https://" not in page
