"""Says which systems are told of which facts, and changes the secrets they know us by."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import IntegrityError, transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.outside import BadAddress, check_address
from erp.partners.models import Webhook
from erp.partners.rules.signing import PREFIX

TELLABLE = ("exceptions.case_escalated",)  # facts that may be told outside
SECRET_BYTES = 32
BOTH_FOR = timedelta(hours=24)  # so long the former secret signs as well


class BadWebhook(DomainError):
    """That is no address, name or fact. `errors` names each field."""

    code: ClassVar[str] = "bad_webhook"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """Where to, under which name, and of which facts."""

    name: str
    url: str
    events: Sequence[str] = TELLABLE


@transaction.atomic
def add_webhook(
    *, entity_id: int, draft: WebhookDraft, actor: User | None, now: datetime
) -> Webhook:
    """Let a system be told of facts of an entity; its secret is made here.

    Raises:
        BadWebhook: no name or one that is taken, no address outside, or no such fact.
    """
    _check(draft)
    try:
        with transaction.atomic():
            made = Webhook.objects.create(
                entity_id=entity_id,
                name=draft.name.strip(),
                url=draft.url.strip(),
                events=list(draft.events),
                secret=_secret(),
                created_at=now,
                created_by=actor,
            )
    except IntegrityError as refusal:
        raise BadWebhook("name", "Another webhook has that name.") from refusal
    _note(made, "add_webhook", actor, now)
    return made


@transaction.atomic
def change_webhook(
    *, webhook_id: int, draft: WebhookDraft, actor: User | None, now: datetime
) -> Webhook:
    """Change where a system is told, or of what. What waits goes to the new address.

    Raises:
        Webhook.DoesNotExist: there is none such.
        BadWebhook: as for a new one.
    """
    _check(draft)
    found = Webhook.objects.select_for_update().get(pk=webhook_id)
    found.name, found.url, found.events = draft.name.strip(), draft.url.strip(), [*draft.events]
    try:
        with transaction.atomic():
            found.save(update_fields=["name", "url", "events"])
    except IntegrityError as refusal:
        raise BadWebhook("name", "Another webhook has that name.") from refusal
    _note(found, "change_webhook", actor, now)
    return found


@transaction.atomic
def rotate_secret(*, webhook_id: int, actor: User | None, now: datetime) -> Webhook:
    """Give a webhook another secret; the former signs as well for 24 hours.

    Raises:
        Webhook.DoesNotExist: there is none such.
    """
    found = Webhook.objects.select_for_update().get(pk=webhook_id)
    found.former_secret, found.former_until = found.secret, now + BOTH_FOR
    found.secret = _secret()
    found.save(update_fields=["secret", "former_secret", "former_until"])
    _note(found, "rotate_secret", actor, now)
    return found


@transaction.atomic
def pause_webhook(
    *, webhook_id: int, is_paused: bool, actor: User | None, now: datetime
) -> Webhook:
    """Tell a system nothing for now, or go on; what came up meanwhile waits. Safe to repeat.

    Raises:
        Webhook.DoesNotExist: there is none such.
    """
    found = Webhook.objects.select_for_update().get(pk=webhook_id)
    if is_paused != (found.paused_at is not None):
        found.paused_at = now if is_paused else None
        found.save(update_fields=["paused_at"])
        _note(found, "pause_webhook" if is_paused else "resume_webhook", actor, now)
    return found


def _check(draft: WebhookDraft) -> None:
    if not draft.name.strip():
        raise BadWebhook("name", "Give it a name.")
    try:
        check_address(draft.url.strip(), may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE)
    except BadAddress as refusal:
        raise BadWebhook("url", str(refusal)) from refusal
    unknown = [one for one in draft.events if one not in TELLABLE]
    if unknown or not draft.events:
        raise BadWebhook("events", f"Facts are told of these: {', '.join(TELLABLE)}.")


def _secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _note(webhook: Webhook, verb: str, actor: User | None, now: datetime) -> None:
    change = Change(
        entity_id=webhook.entity_id,
        action=f"partners.{verb}",
        subject_kind="partners.webhook",
        subject_id=webhook.pk,
        thread=f"partners.webhook:{webhook.pk}",
        after={"name": webhook.name, "url": webhook.url, "events": webhook.events},
    )
    record(changes=[change], actor=actor, now=now)
