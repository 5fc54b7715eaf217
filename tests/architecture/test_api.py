"""What every resource of the API answers to strangers, to the curious and to nonsense."""

from dataclasses import dataclass
from functools import cache

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from tests.architecture.test_routes import routes

pytestmark = pytest.mark.django_db
NONSENSE = ["nope", "0", "-1", "9" * 30, "%00", "%F0%9F%98%80", "a' OR 1=1--", "..%2F..", "１２"]  # noqa: RUF001
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"[null, 1, {}]",
    b'"text"',
    b"{}",
    b'{"no_such_field": 1}',
    b'{"reason": "\\u0000", "lines": [{"quantity": "NaN"}]}',
    b'{"lines": {}, "entity": [], "customer": {}, "name": 7, "code": null, "reason": []}',
    b'{"lines": [[]], "entity": "\\ud800", "customer": "\\u0000", "number": 1e400}',
    b'{"lines": [{"line": 99999999999999999999, "quantity": 1e400, "product": "\\u0000"}]}',
]


# Kept for the whole house: `?entity=` narrows nothing there.
NO_ENTITY_S = {
    f"/api/v1/{name}/"
    for name in (
        "calendars",
        "carriers",
        "customer-groups",
        "denied-parties",
        "kits",
        "kpis",
        "lanes",
        "nodes",
        "policies",
        "products",
        "segments",
        "substitutes",
        "suppliers",
    )
}  # fmt: skip

SHOWN_WHOLE = {"/api/v1/kpis/"}  # a page of definitions, all of them


@dataclass(frozen=True)
class Route:
    """One address and method of the API; `{}` stands for what the address looks up."""

    address: str
    method: str
    action: str


@cache
def api_routes() -> list[Route]:
    found = {}
    patterns: list[URLPattern | URLResolver] = get_resolver().url_patterns
    for where, view in routes(patterns):
        if where.startswith("api/v1/") and hasattr(view, "actions"):
            for method, action in view.actions.items():
                route = Route(_address(where), method, action)
                found[route.address, route.method] = route
    return sorted(found.values(), key=str)


def _address(pattern: str) -> str:
    """Turn the router's regular expression into an address with `{}` in place of its groups."""
    address, depth = "/", 0
    for character in pattern.replace("^", "").replace("\\Z", "").rstrip("$"):
        if character == "(":
            depth += 1
            address += "{}" if depth == 1 else ""
        elif character == ")":
            depth -= 1
        elif depth == 0 and character != "\\":
            address += character
    return address


def those(*methods: str, detail: bool | None = None) -> list[Route]:
    return [
        route
        for route in api_routes()
        if route.method in methods and detail in (None, "{}" in route.address)
    ]


@pytest.fixture
def root(entity: Entity) -> APIClient:
    """Somebody who may do everything."""
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    return client


def test_nobody_gets_in_unknown() -> None:
    for route in api_routes():
        response = getattr(APIClient(), route.method)(route.address.replace("{}", "1"))
        assert response.status_code == 401, route
        assert response["Content-Type"] == "application/problem+json", route


def test_nobody_gets_in_without_a_permission(api: APIClient) -> None:
    for route in api_routes():
        response = getattr(api, route.method)(route.address.replace("{}", "1"))
        assert response.status_code == 403, route


@pytest.mark.parametrize("parameter", ["no_such_parameter", "page_size", "cursor", "ordering"])
def test_a_list_names_the_parameter_that_it_refuses(root: APIClient, parameter: str) -> None:
    for route in those("get", detail=False):
        is_paged = route.address not in SHOWN_WHOLE and (
            route.action == "list" and "next" in root.get(route.address).json()
        )
        response = root.get(route.address, {parameter: "owner__password"})
        if is_paged:
            assert response.status_code == 400, route
            assert response.json()["errors"][0]["field"] == parameter, route
        else:
            assert response.status_code < 500, route


def test_a_list_of_another_s_entity_is_not_there(root: APIClient) -> None:
    for route in those("get", detail=False):
        if route.action == "list" and route.address not in NO_ENTITY_S:
            response = root.get(route.address, {"entity": "NONE"})
            assert response.status_code in {400, 404}, route


def test_what_is_not_there_is_404(root: APIClient) -> None:
    for route in those("get", detail=True):
        for text in NONSENSE:
            response = root.get(route.address.replace("{}", text))
            assert response.status_code in {400, 404}, (route, text, response.content[:200])


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.decode()[:30] or "empty")
def test_a_malformed_body_is_refused_without_a_failure(root: APIClient, body: bytes) -> None:
    for route in those("post", "patch"):
        address = route.address.replace("{}", "1")
        response = getattr(root, route.method)(address, body, content_type="application/json")
        assert response.status_code < 500, route
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json", route
            assert response.json()["detail"], route
