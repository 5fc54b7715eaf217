"""The base of every resource: strict, scoped to entities, safe to repeat."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from erp.api.filters import Filter, StrictFilterBackend
from erp.api.idempotency import once_per_key
from erp.api.permissions import required_permission
from erp.api.problems import (
    ErrorDetail,
    NotFound,
    PreconditionFailed,
    ValidationError,
    problem,
    problem_response,
)
from erp.api.renderers import dumped
from erp.api.schema import ResourceSchema
from erp.kernel.access import public

BULK_MAX = 1_000
CHANGES = {"POST", "PATCH", "PUT", "DELETE"}

Item = Mapping[str, Any]
Outcome = Mapping[str, Any] | Exception


class ResourceViewSet(GenericViewSet[Any]):
    """A resource. Its subclass says `required_permissions`, and what lists allow.

    `required_permissions` names one permission per action. `filters`, `ordering_fields` and
    `ordering` are allow-lists. `inputs` and `outputs` name the serializers per action: `body()`
    reads by the first, the OpenAPI document shows both. Changes go through `once_per_key`.
    """

    schema = ResourceSchema()
    inputs: ClassVar[dict[str, type[BaseSerializer[Any]]]] = {}
    outputs: ClassVar[dict[str, type[BaseSerializer[Any]]]] = {}

    required_permissions: ClassVar[dict[str, str]] = {}
    filters: ClassVar[dict[str, Filter]] = {}
    ordering: ClassVar[str] = "-id"
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    filter_backends = [StrictFilterBackend]
    lookup_value_regex = "[^/]+"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who asks, then wrap the handler of a change: repeated, it answers the same."""
        super().initial(request, *args, **kwargs)
        method = (request.method or "").lower()
        if request.method in CHANGES and hasattr(self, method):
            setattr(self, method, once_per_key(getattr(self, method), self._refuse))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave only the `?fields=` asked for, and add the client's allowance and an ETag."""
        if isinstance(response, Response) and request.method == "GET":
            if response.status_code == 200 and "fields" in request.query_params:  # noqa: PLR2004
                response = self._sparse(request, response)
            response.add_post_render_callback(lambda rendered: _tagged(request, rendered))
        allowance = getattr(request._request, "allowance", None)  # noqa: SLF001
        if allowance is not None:
            for name, value in allowance.headers().items():
                response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    def scope(self, permission: str | None = None) -> frozenset[int]:
        """Return the entities in which the user holds the action's permission.

        `?entity=US01` narrows them.

        Raises:
            NotFound: that entity is not among them; whether it exists is not said.
        """
        named = permission or required_permission(self)
        user: Any = self.request.user
        held: frozenset[int] = user.entity_ids(named) if named else frozenset()
        code = self.request.query_params.get("entity")
        return held if code is None else frozenset({self.entity_id(code, held)})

    def entity_id(self, code: str, held: frozenset[int] | None = None) -> int:
        """Return the id of the entity `code`, in which the user holds the action's permission.

        Raises:
            NotFound: there is none such.
        """
        within = self.scope() if held is None else held
        entities = apps.get_model("accounts", "Entity")._default_manager  # noqa: SLF001
        found = None if "\0" in code else entities.filter(code=code, pk__in=within).first()
        if found is None:
            raise NotFound(f"There is no entity {code[:50]!r}.")
        return int(found.pk)

    def body(
        self, serializer_class: type[BaseSerializer[Any]] | None = None, **context: Any
    ) -> dict[str, Any]:
        """Return the request body, validated by that serializer or the action's of `inputs`.

        Raises:
            ValidationError: with every wrong field by its full path.
        """
        shape = serializer_class or self.inputs[self.action]
        serializer = shape(
            data=self.request.data, context={**self.get_serializer_context(), **context}
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def page(
        self, queryset: QuerySet[Any], present: Callable[[Sequence[Any]], Iterable[Any]] = list
    ) -> Response:
        """Answer a page of `queryset`, filtered and ordered as asked; `present` shapes its rows."""
        rows = self.paginate_queryset(self.filter_queryset(queryset))
        return self.get_paginated_response(list(present(rows or [])))

    def check_version(self, represented: Any) -> None:
        """Compare `If-Match` with the present representation, where the client sent it.

        Raises:
            PreconditionFailed: it has changed since.
        """
        asked = self.request.headers.get("If-Match")
        if asked not in (None, "*", etag_of(dumped(represented))):
            raise PreconditionFailed

    def bulk(
        self,
        serializer_class: type[BaseSerializer[Any]],
        run: Callable[[list[dict[str, Any]]], Sequence[Outcome]],
        **context: Any,
    ) -> Response:
        """Answer a list of items with one result each: `{index, status, …}` or `{…, errors}`.

        `run` gets the well-formed items at once and returns for each what to answer, or the
        exception that refused it (see `one_by_one`). One bad item spoils no other.
        """
        items = self.request.data
        if not isinstance(items, list):
            raise ValidationError(["Write a JSON array of items."])
        if len(items) > BULK_MAX:
            raise ValidationError([f"Write at most {BULK_MAX} items."])
        results: dict[int, Item] = {}
        good: dict[int, dict[str, Any]] = {}
        for index, item in enumerate(items):
            serializer = serializer_class(
                data=item, context={**self.get_serializer_context(), **context}
            )
            if serializer.is_valid():
                good[index] = dict(serializer.validated_data)
            else:
                results[index] = self._refused(ValidationError(dict(serializer.errors)))
        outcomes = run(list(good.values())) if good else []
        for index, outcome in zip(good, outcomes, strict=True):
            is_bad = isinstance(outcome, Exception)
            results[index] = self._refused(outcome) if is_bad else {"status": 201, **outcome}  # type: ignore[arg-type, dict-item]
        return Response({"results": [{"index": i, **results[i]} for i in range(len(items))]})

    def _refused(self, error: Exception) -> Item:
        document = self._refuse(error).data
        errors = document["errors"] or [
            {"field": "", "code": document["code"], "message": document["detail"]}
        ]
        return {"status": document["status"], "errors": errors}

    def _refuse(self, error: Exception) -> Response:
        response = problem_response(error, self.get_exception_handler_context())
        if response is None:
            raise error
        return response

    def _sparse(self, request: Request, response: Response) -> Response:
        wanted = [name for name in request.query_params["fields"].split(",") if name]
        data = response.data
        is_page = isinstance(data, dict) and isinstance(data.get("results"), list)
        items = data["results"] if is_page else [data]
        for name in wanted:
            if items and isinstance(items[0], Mapping) and name not in items[0]:
                message = f"There is no field {name[:50]!r}."
                error = ValidationError({"fields": [ErrorDetail(message, "unknown_field")]})
                return self._refuse(error)
        slim = [{name: item[name] for name in wanted} for item in items]
        response.data = {**data, "results": slim} if is_page else slim[0]
        return response


def one_by_one(command: Callable[[dict[str, Any]], Item]) -> Callable[..., Sequence[Outcome]]:
    """Run `command` for each item of a bulk request, each in a savepoint of its own."""

    def run(items: list[dict[str, Any]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for item in items:
            try:
                with transaction.atomic():
                    outcomes.append(command(item))
            except Exception as error:  # noqa: BLE001  bulk() raises again what is a bug
                outcomes.append(error)
        return outcomes

    return run


def etag_of(content: bytes) -> str:
    """Return the strong ETag of a rendered representation."""
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


@public
def unknown_resource(request: HttpRequest, **_path: Any) -> HttpResponse:
    """Answer for every address of the API that does not exist."""
    answer = problem(404, "not_found", "There is no such resource.")
    return HttpResponse(dumped(answer.data), status=404, content_type=answer.content_type)


def _tagged(request: Request, response: Any) -> Any:
    if response.status_code == 200:  # noqa: PLR2004
        response["ETag"] = etag_of(response.content)
        if request.headers.get("If-None-Match") == response["ETag"]:
            response.status_code = 304
            response.content = b""
    return response
