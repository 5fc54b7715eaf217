"""Settings of every deployment; what differs between two of them is read from the environment.

Required: `SECRET_KEY`, `DATABASE_URL`, `REDIS_URL`. `manage.py` fills in what is missing from the
embedded servers under `.data/`.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django_stubs_ext
import structlog
from csp.constants import NONCE, SELF

django_stubs_ext.monkeypatch()  # admin.ModelAdmin[Order] and the like, at run time too

BASE_DIR = Path(__file__).resolve().parents[2]


def flag(name: str, *, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0") == "1"


# Triggers ask which of them are skipped. Where nobody said so, each asks in vain, by an exception
# that takes as long as there are checks waiting for the commit.
SESSION = {
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "120s",
    "pgtrigger.ignore": "{}",
}


def database(url: str) -> dict[str, object]:
    """Read `postgresql://user:password@host:port/name?host=/socket/folder`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "erp",
        "USER": unquote(parts.username or query.get("user", "erp")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or query.get("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"options": " ".join(f"-c {name}={value}" for name, value in SESSION.items())},
    }


SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = flag("DEBUG")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,[::1]").split(",")
ALLOWED_HOSTS.append("127.0.0.1")  # health checks come from inside
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]
BEHIND_TLS = flag("BEHIND_TLS")
DATA_DIR = Path(os.environ.get("ERP_DATA") or BASE_DIR / ".data")
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT") or DATA_DIR / "media")

ROOT_URLCONF = "erp.urls"
ASGI_APPLICATION = "erp.asgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_fsm",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "pgtrigger",
    "rest_framework",
    "erp.embedded",
    "erp.accounts",
    "erp.outbox",
    "erp.api",
    "erp.governance",
    "inventory",
    "orders",
    "procurement",
    "finance",
    "exceptions",
    "erp.partners",
    "erp.insight",
    "erp.web",
]

MIDDLEWARE = [
    "erp.web.health.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "erp.accounts.middleware.ScopeMiddleware",
    "erp.web.middleware.PersonMiddleware",
    "erp.web.middleware.PageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "erp.web.context.shell",
            ]
        },
    }
]

DATABASES = {"default": database(os.environ["DATABASE_URL"])}
DATABASES["default"]["OPTIONS"]["application_name"] = os.environ.get("APP_ROLE", "erp")  # type: ignore[index]

DATABASE_PREPARES = flag("DATABASE_PREPARES", default=True)  # not behind a transaction pooler

AUTHENTICATION_BACKENDS = ["erp.accounts.backends.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("STATIC_ROOT")
WHITENOISE_USE_FINDERS = True  # no collectstatic step stands between a change and the page

# Without a mail server letters are files below the data folder.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "orders@localhost")
WEBHOOKS_MAY_BE_PRIVATE = flag("WEBHOOKS_MAY_BE_PRIVATE")  # http, and addresses of our own network
PUBLIC_URL = os.environ.get("PUBLIC_URL", "").rstrip("/")  # where links in letters lead

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # asked inside, before the proxy
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    },
    "EXCLUDE_URL_PREFIXES": ["/api/docs/"],
}

CSRF_FAILURE_VIEW = "erp.web.views.refused_csrf"
UNFOLD = {
    "SITE_TITLE": "Crossdock",
    "SITE_HEADER": "Crossdock administration",
    "SITE_URL": "/",
    "SITE_SYMBOL": "warehouse",
    "SHOW_HISTORY": True,
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
    "COMMAND": {"search_models": False},
}

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "erp.api.problems.problem_response",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "erp.accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["erp.api.permissions.HasRequiredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["erp.api.renderers.StrictJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["erp.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "erp.api.paging.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["erp.api.throttles.ClientThrottle"],
    "DEFAULT_THROTTLE_RATES": {"client": os.environ.get("API_RATE", "6000/min")},
    "UNICODE_JSON": True,
    "STRICT_JSON": True,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Crossdock API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_NAME_OVERRIDES": {
        "PurposeEnum": ["undeclared", "civil", "research", "military", "nuclear", "chemical"],
        "StrategyEnum": ["win", "gain", "redistribute", "fill", "lose"],
        "StockStatusEnum": ["available", "quarantine", "damaged", "inspection"],
        "BinKindEnum": ["pick_face", "reserve", "receiving", "quarantine"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "erp.api.schema.complete",
    ],
}

REDIS_URL = os.environ["REDIS_URL"]  # redis://… or unix:///path?db=0, as redis-py reads it
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = int(os.environ.get("WORKER_CONCURRENCY", "2"))
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_TASK_TIME_LIMIT = 240
CELERY_TASK_SOFT_TIME_LIMIT = 220
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # a lost wake-up is found by the sweep
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BEAT_SCHEDULE = {
    "outbox-sweep": {"task": "erp.outbox.tasks.sweep", "schedule": 2.0},
    "governance-seal": {"task": "erp.governance.tasks.seal", "schedule": 10.0},
    "webhooks": {"task": "erp.partners.tasks.send_tellings", "schedule": 5.0},
    "imports": {"task": "erp.partners.tasks.load_waiting", "schedule": 2.0},
    "api-forget-keys": {"task": "erp.api.tasks.forget_old_keys", "schedule": 86_400.0},
    "governance-replay": {"task": "erp.governance.tasks.replay_waiting", "schedule": 2.0},
    "orders-allocate": {"task": "orders.tasks.allocate", "schedule": 30.0},
    "orders-reserve-due": {"task": "orders.tasks.reserve_what_is_due", "schedule": 3_600.0},
    "orders-reallocate": {"task": "orders.tasks.simulate_reallocations", "schedule": 2.0},
    "orders-call-off": {"task": "orders.tasks.call_off", "schedule": 300.0},
    "orders-expire": {"task": "orders.tasks.expire", "schedule": 3_600.0},
    "orders-screen": {"task": "orders.tasks.screen", "schedule": 5.0},
    "orders-screen-again": {"task": "orders.tasks.screen_again", "schedule": 86_400.0},
    "orders-end-lifts": {"task": "orders.tasks.end_lifts_over", "schedule": 900.0},
    "inventory-lapsed": {"task": "inventory.tasks.give_back_lapsed", "schedule": 15.0},
    "inventory-lots": {"task": "inventory.tasks.look_at_lots", "schedule": 3_600.0},
    "procurement-replenish": {
        "task": "procurement.tasks.replenish_everything",
        "schedule": 86_400.0,
    },
    "finance-invoice": {"task": "finance.tasks.invoice", "schedule": 30.0},
    "finance-age": {"task": "finance.tasks.age", "schedule": 3_600.0},
    "finance-open-months": {"task": "finance.tasks.open_months", "schedule": 86_400.0},
    "approvals-clocks": {
        "task": "erp.governance.tasks.fire_approval_clocks",
        "schedule": 5.0,
    },
    "approvals-look": {
        "task": "erp.governance.tasks.look_after_open_approvals",
        "schedule": 30.0,
    },
    "exceptions-timers": {"task": "exceptions.tasks.fire_timers", "schedule": 5.0},
    "exceptions-notices": {"task": "exceptions.tasks.send_notices", "schedule": 30.0},
    "exceptions-find": {"task": "exceptions.tasks.find_cases", "schedule": 60.0},
    "exceptions-drift": {"task": "exceptions.tasks.find_drift", "schedule": 86_400.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TASK_ALWAYS_EAGER = False

CELERY_WORKER_HIJACK_ROOT_LOGGER = False


def one_line(logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Escape line breaks, so that what somebody typed cannot pass for a line of the log."""
    event["event"] = str(event["event"]).replace("\r", "\\r").replace("\n", "\\n")
    return event


LOG_LINES: dict[str, list[Any]] = {
    "text": [
        one_line,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ],
    "json": [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *LOG_LINES[os.environ.get("LOG_FORMAT", "text")],
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        # A line for every task that went well, every other second, hides those that did not.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
