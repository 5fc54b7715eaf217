"""Keys of partner systems."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.accounts.models import ApiKey, User


def digest_of(key: str) -> str:
    """Return what is kept of a key. Keys are long and random, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def issue_key(*, user: User, name: str, scopes: Collection[str], expires_at: datetime) -> str:
    """Make a key and return it; it is never shown again.

    `scopes` are permissions ("orders.view_order"): the key may do what they and its user's roles
    both allow. Empty, it may do all that its user may.
    """
    prefix = f"cd_{secrets.token_hex(5)}"
    key = f"{prefix}.{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    return key


@transaction.atomic
def revoke_key(*, key_id: int, now: datetime) -> None:
    """Stop a key at once. Revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now)
