"""Settings of the test run: the base ones, made quick and made loud."""

import os
from urllib.parse import urlsplit


def of_this_worker(url: str) -> str:
    """Give each xdist worker a Redis database of its own, or one finds the other's tasks."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={number}"
    return urlsplit(url)._replace(path=f"/{number}").geturl()


os.environ["REDIS_URL"] = of_this_worker(os.environ["REDIS_URL"])
os.environ.setdefault(
    "SECRET_KEY", "test-only-key-that-is-never-used-outside-a-test-run-0123456789"
)

from erp.settings.base import *  # noqa: E402, F403

CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {"version": 1, "disable_existing_loggers": False}
