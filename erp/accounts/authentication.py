"""Signing in over REST: `Authorization: Bearer <key>`."""

import hmac
from datetime import timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from erp.accounts.models import ApiKey, User
from erp.accounts.services._keys import digest_of
from erp.api.problems import InvalidKey

USED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is


class ApiKeyAuthentication(BaseAuthentication):
    """Answers with the key's user, narrowed to the key's scopes; refuses what is not valid now."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        prefix, _, _ = key.partition(".")
        known = ApiKey.objects.select_related("user").filter(prefix=prefix)
        found = known.first() if key.isascii() and key.isprintable() else None
        if (
            found is None
            or not hmac.compare_digest(found.digest, digest_of(key))
            or found.revoked_at is not None
            or found.expires_at <= now
            or not found.user.is_active
        ):
            raise InvalidKey
        if found.last_used_at is None or now - found.last_used_at > USED_EVERY:
            ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
        user = found.user
        if found.scopes:
            user.scopes = frozenset(found.scopes)
        return user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
