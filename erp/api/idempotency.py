"""`Idempotency-Key`: a request that is sent again gets the first one's answer, and acts once.

The claim of the key, the command and the stored answer are one transaction. Whoever comes second
waits at the unique key until the first has committed. A refusal (409 and the like) is an answer and
is stored, its effects undone; a malformed request (400) and a failure of ours (5xx) leave no trace,
so the key can be used again.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.models import IdempotencyKey
from erp.api.problems import CONTENT_TYPE, ErrorDetail, KeyReused, ValidationError
from erp.api.renderers import dumped
from erp.kernel.sql import run

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_MAX = 255
KEPT_HEADERS = ("Location", "ETag")
KEPT_FOR = timedelta(days=7)
NOT_AN_ANSWER = {400, 401, 413, 415, 429}  # the request itself was at fault, or came too early

CLAIM = """
    INSERT INTO api_idempotencykey (user_id, key, fingerprint, status, body, headers, created_at)
    VALUES (%s, %s, %s, 0, '', '{}', %s)
    ON CONFLICT (user_id, key) DO NOTHING
"""

Handler = Callable[..., Response]
Refuse = Callable[[Exception], Response]


class _GiveUp(Exception):
    """Carries an answer out of a transaction that is undone."""

    def __init__(self, response: Response) -> None:
        self.response = response


def once_per_key(handler: Handler, refuse: Refuse) -> Handler:
    """Wrap a view's handler; requests without the header run as they are.

    `refuse` turns an exception into its response, as the view itself would (it raises bugs).
    """

    def handled(request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(request, *args, **kwargs)
        _check(key)
        try:
            with transaction.atomic():
                return _first_or_same(
                    request, key, lambda: handler(request, *args, **kwargs), refuse
                )
        except _GiveUp as given_up:
            return given_up.response

    return handled


def forget_keys(*, before: datetime) -> int:
    """Delete the answers given before that moment; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=before).delete()[0]


def _first_or_same(
    request: Request, key: str, command: Callable[[], Response], refuse: Refuse
) -> Response:
    user_id, fingerprint = int(request.user.pk or 0), _fingerprint(request)
    if not run(CLAIM, [user_id, key, fingerprint, timezone.now()]):
        return _same(IdempotencyKey.objects.get(user_id=user_id, key=key), fingerprint)
    response = _run(command, refuse)
    if response.status_code in NOT_AN_ANSWER or response.status_code >= 500:  # noqa: PLR2004
        raise _GiveUp(response)
    IdempotencyKey.objects.filter(user_id=user_id, key=key).update(
        status=response.status_code,
        body="" if response.data is None else dumped(response.data).decode(),
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
    )
    return response


def _run(command: Callable[[], Response], refuse: Refuse) -> Response:
    """Run the command in a savepoint that a refusal undoes."""
    try:
        with transaction.atomic():
            response = command()
            if response.status_code >= 400:  # noqa: PLR2004
                transaction.set_rollback(True)
    except Exception as error:  # noqa: BLE001  `refuse` raises again what it does not know
        return refuse(error)
    return response


def _same(stored: IdempotencyKey, fingerprint: str) -> Response:
    if stored.fingerprint != fingerprint:
        raise KeyReused
    return Response(
        json.loads(stored.body) if stored.body else None,
        status=stored.status,
        headers={**stored.headers, REPLAYED: "true"},
        content_type=CONTENT_TYPE if stored.status >= 400 else None,  # noqa: PLR2004
    )


def _check(key: str) -> None:
    if not (0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
        message = f"Write 1 to {KEY_MAX} printable ASCII characters."
        raise ValidationError({HEADER: [ErrorDetail(message, "invalid")]})


def _fingerprint(request: Request) -> str:
    """Return a hash of what is asked; the order of a JSON object's keys does not matter."""
    asked = [request.method, request.get_full_path(), _canonical(request.data)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _canonical(data: Any) -> Any:
    if isinstance(data, UploadedFile):
        digest = hashlib.sha256()
        for chunk in data.chunks():
            digest.update(chunk)
        data.seek(0)
        return [data.name, digest.hexdigest()]
    if hasattr(data, "lists"):  # a form
        return {name: [_canonical(v) for v in values] for name, values in data.lists()}
    return data
