"""What belongs to the API as a whole. `erp.urls` adds each app's `api.urls` under `api/v1/`."""

from django.urls import path

from erp.api.schema import docs, openapi
from erp.api.vocabulary import VocabularyView

urlpatterns = [
    path("api/schema/", openapi, name="schema"),
    path("api/docs/", docs, name="docs"),
    path("api/v1/vocabulary/", VocabularyView.as_view(), name="vocabulary"),
]
