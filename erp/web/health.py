"""What machines ask the web process: does it live, can it work, how much has it done."""

import hmac
import ipaddress
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from erp.kernel.access import public

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

REQUESTS = Counter("erp_http_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "erp_http_request_seconds",
    "Seconds from the first middleware to the response.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Names, counts and times every request. Stands first, so that it sees every answer.

    The name is the caller's `X-Request-ID` where that is well-formed, else one of ours; it stands
    in the answer and in every line that is logged on the way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        name = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=name):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = name
        count(request, response, time.perf_counter() - began)
        return response


def count(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    match = request.resolver_match
    route = "/" + match.route if match else "(none)"  # the pattern: an id is not a series
    method = request.method if request.method in METHODS else "(other)"
    REQUESTS.labels(method, route, str(response.status_code)).inc()
    SECONDS.labels(method, route).observe(seconds)


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives and has a thread to spare; it asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when requests can be served, else 503 and what is in the way."""
    reasons = dict(obstacles())
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def obstacles() -> Iterator[tuple[str, str]]:
    """Yield what keeps this process from serving: the part and the sentence for the operator.

    The sentences name no address and no user: the page is open to everybody.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if waiting := migrations_waiting():
            yield "migrations", f"{waiting} migrations wait to be applied."
    except DatabaseError:
        logger.warning("Not ready: no database.", exc_info=True)
        yield "database", "The database does not answer."
    try:
        line = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
        with line:
            line.ping()
    except redis.RedisError:
        logger.warning("Not ready: no broker.", exc_info=True)
        yield "redis", "The broker does not answer."


class Schema:
    """Remembers that the schema was once up to date: reading all migrations takes a while."""

    is_current = False


def migrations_waiting() -> int:
    """Return how many migrations of this release the database lacks."""
    if Schema.is_current:
        return 0
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    Schema.is_current = not plan
    return len(plan)


@public
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer this process's figures for Prometheus, to the machine itself or to `METRICS_TOKEN`."""
    if not may_read_metrics(request):
        return HttpResponse("Metrics need the bearer token.\n", status=401)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    token = os.environ.get("METRICS_TOKEN", "")
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if "X-Forwarded-For" in request.headers:  # a proxy on this machine speaks for anybody
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


urlpatterns: list[URLPattern] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]
