"""`GET /api/v1/vocabulary/`: every code that the API speaks, in models and lists."""

from collections.abc import Callable, Iterable

from django.apps import apps
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from erp.api.permissions import IsSignedIn

Words = Callable[[], Iterable[tuple[str, str]]]
_words: dict[str, Words] = {}


def register_words(name: str, words: Words) -> None:
    """Add a closed list that no column holds, as (code, label). Telling it again replaces it."""
    _words[name] = words


def vocabulary() -> dict[str, list[dict[str, str]]]:
    """Return the choices of every column that has some, by "app.model.field".

    What apps registered besides stands under the name that they gave it.
    """
    found = {
        name: [{"code": code, "label": label} for code, label in words()]
        for name, words in _words.items()
    }
    ours = {app for app in settings.INSTALLED_APPS if app.startswith("erp.") or "." not in app}
    for model in apps.get_models():
        if model._meta.app_config.name not in ours:  # noqa: SLF001
            continue
        for field in model._meta.concrete_fields:  # noqa: SLF001
            if field.choices:
                codes = [{"code": str(c), "label": str(text)} for c, text in field.flatchoices]
                found[f"{model._meta.label_lower}.{field.name}"] = codes  # noqa: SLF001
    return dict(sorted(found.items()))


class VocabularyView(APIView):
    """Codes of roles, states, types and reasons."""

    permission_classes = [IsSignedIn]
    required_permission = ""  # codes are no secret among those who are signed in

    @extend_schema(
        responses={
            (200, "application/json"): {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"code": {"type": "string"}, "label": {"type": "string"}},
                    },
                },
            }
        }
    )
    def get(self, request: Request) -> Response:
        """Return every code, by "app.model.field"."""
        return Response(vocabulary())
