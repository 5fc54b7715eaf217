"""The resource of KPIs: a figure, its series, and exactly the rows it counts."""

from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from erp.api.filters import DateFilter, Filter, FlagFilter, MomentFilter, TextFilter, query_values
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.views import ResourceViewSet
from erp.insight import permissions, selectors
from erp.insight.api import serializers
from erp.insight.selectors import Kpi, Period

DAYS = 30
DAYS_MAX = 400


class KpiViewSet(ResourceViewSet):
    """Figures of the control tower, one definition everywhere. Money is by currency."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        "rows": permissions.VIEW,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "from": DateFilter(),
        "to": DateFilter(),
        "as_of": MomentFilter(),
        "part": TextFilter(),
        "met": FlagFilter(),
        "after": TextFilter(),
    }
    outputs: ClassVar = {"retrieve": serializers.KpiOutput}

    def list(self, request: Request) -> Response:
        query_values(request, {})
        found = [serializers.listed(kpi) for kpi in selectors.KPIS.values()]
        return Response({"results": found, "next": None, "previous": None})

    def retrieve(self, request: Request, code: str) -> Response:
        kpi, period = self._kpi(code), self._period(request)
        scope = self.scope()
        figure = selectors.figure(kpi.code, entity_ids=scope, period=period)
        days = selectors.series(kpi.code, entity_ids=scope, period=period)
        asked = {"from": period.since, "to": period.until, "as_of": period.as_of}
        return Response(serializers.shown(figure, days) | asked)

    @action(detail=True, methods=["get"])
    def rows(self, request: Request, code: str) -> Response:
        """Return the rows behind the figure, page by page: `part=`, `met=true|false`."""
        kpi, period = self._kpi(code), self._period(request)
        asked = query_values(request, self.filters)
        found = selectors.kpi_rows(
            kpi.code,
            entity_ids=self.scope(),
            period=period,
            bucket=asked.get("part", ""),
            hit=asked.get("met"),
            after=asked.get("after", ""),
        )
        url = request.build_absolute_uri()
        return Response(
            {
                "results": [serializers.shown_row(row) for row in found.rows],
                "next": str(replace_query_param(url, "after", found.next)) if found.next else None,
                "previous": None,
            }
        )

    def _kpi(self, code: str) -> Kpi:
        found = selectors.kpi(code)
        if found is None:
            raise NotFound(f"There is no KPI {code[:50]!r}.")
        return found

    def _period(self, request: Request) -> Period:
        asked: dict[str, Any] = query_values(request, self.filters)
        now = timezone.now()
        until = asked.get("to") or asked.get("as_of", now).date()
        since = asked.get("from") or until - timedelta(days=DAYS - 1)
        if since > until or (until - since).days > DAYS_MAX:
            message = f"Ask for 1 to {DAYS_MAX} days, the earlier first."
            raise ValidationError({"from": [ErrorDetail(message, "invalid")]})
        return Period(since, until, asked.get("as_of", now))
