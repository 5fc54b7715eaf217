"""What stands on a telling so that the other side knows that we sent it (Standard Webhooks 1)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
WAITS = (  # after so many tries, until the next
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)


def signature(secret: str, *, event_id: str, at: datetime, body: bytes) -> str:
    """Return one signature, `v1,` and base64: HMAC-SHA256 over the id, the second and the body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(secrets: Sequence[str], *, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a telling, signed with each of the secrets."""
    signed = [signature(one, event_id=event_id, at=at, body=body) for one in secrets]
    return {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": "Crossdock-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def next_wait(attempts: int) -> timedelta | None:
    """Return how long to wait after so many tries; None once it is given up."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else None
