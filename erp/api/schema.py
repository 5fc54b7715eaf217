"""The OpenAPI document: generated once a process, with what all operations share."""

from collections import Counter
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.serializers import Serializer

from erp.kernel.access import public

TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is for programs, `detail` a sentence for people.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "code": TEXT,
        "detail": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {**TEXT, "example": "lines[3].quantity"},
                    "code": TEXT,
                    "message": TEXT,
                },
            },
        },
    },
}
REFUSALS = {
    "400": "The request is malformed; every wrong field is named.",
    "401": "Nobody is signed in, or the key is not valid.",
    "403": "The permission is missing.",
    "404": "It does not exist, or is not yours.",
    "409": "The business refuses it.",
    "429": "Too many requests.",
}
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Send the same key again to get the same answer; another body is refused (422).",
    "schema": {"type": "string", "maxLength": 255},
}


class ResourceSchema(AutoSchema):
    """Describes a resource by the `inputs` and `outputs` that its view declares per action.

    What is not declared is an object of no stated shape.
    """

    def get_operation_id(self) -> str:
        """Return what the view calls the operation in `operation_ids`, else the usual name."""
        named = getattr(self.view, "operation_ids", {}).get(self._action)
        return str(named if named and self.method == "GET" else super().get_operation_id())

    def get_request_serializer(self) -> Any:
        declared = getattr(self.view, "inputs", {}).get(self._action)
        return declared or self._known_or_object()

    def get_response_serializers(self) -> Any:
        declared = getattr(self.view, "outputs", {}).get(self._action)
        return declared or self._known_or_object()

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return the class's name, with its app before it where two apps use the same."""
        kind = type(serializer)
        app = kind.__module__.partition(".api")[0].rpartition(".")[2].capitalize()
        return f"{app}{kind.__name__}" if kind.__name__ in _ambiguous() else kind.__name__

    @property
    def _action(self) -> str:
        return getattr(self.view, "action", None) or ""

    def _known_or_object(self) -> Any:
        known = getattr(self.view, "serializer_class", None) is not None
        return self._get_serializer() if known else OpenApiTypes.OBJECT  # type: ignore[no-untyped-call]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._action == "list" or bool(super()._is_list_view(serializer))


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Says how a partner system signs in."""

    target_class = "erp.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


@cache
def _ambiguous() -> frozenset[str]:
    """Return the names that more than one serializer class has."""
    kinds: set[type] = set()
    waiting: list[type] = [Serializer]
    while waiting:
        below: set[type] = set(waiting.pop().__subclasses__()) - kinds
        kinds |= below
        waiting.extend(below)
    counts = Counter(kind.__name__ for kind in kinds)
    return frozenset(name for name, count in counts.items() if count > 1)


def complete(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Add to every operation how it refuses, and to every change its Idempotency-Key."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if not isinstance(operation, dict):
                continue
            for status, description in REFUSALS.items():
                answer = {"description": description, "content": content}
                operation["responses"].setdefault(status, answer)
            if method in {"post", "patch", "put", "delete"}:
                operation.setdefault("parameters", []).append(KEY_PARAMETER)
                reused = {"description": "The key was used for another request."}
                operation["responses"].setdefault("422", {**reused, "content": content})
    return result


@cache
def document(media_type: str) -> bytes:
    """Return the OpenAPI document of this release."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    renderer = OpenApiJsonRenderer() if "json" in media_type else OpenApiYamlRenderer()
    return bytes(renderer.render(schema))


@public
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document: JSON where `Accept` or `?format=` asks for it, else YAML."""
    asked = f"{request.headers.get('Accept', '')} {request.GET.get('format', '')}"
    media_type = "application/json" if "json" in asked else "application/yaml"
    return HttpResponse(document(media_type), content_type=media_type)


docs = public(SpectacularSwaggerView.as_view(url_name="schema", permission_classes=[]))
