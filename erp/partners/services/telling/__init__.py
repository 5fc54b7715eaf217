"""Everything about the systems that are told of facts."""

from erp.partners.services.telling._keeping import (
    TELLABLE,
    BadWebhook,
    WebhookDraft,
    add_webhook,
    change_webhook,
    pause_webhook,
    rotate_secret,
)
from erp.partners.services.telling._sending import (
    Outgoing,
    Telling,
    claim_tellings,
    replay_tellings,
    settle_telling,
    tell_outside,
    try_webhook,
)

__all__ = [
    "TELLABLE",
    "BadWebhook",
    "Outgoing",
    "Telling",
    "WebhookDraft",
    "add_webhook",
    "change_webhook",
    "claim_tellings",
    "pause_webhook",
    "replay_tellings",
    "rotate_secret",
    "settle_telling",
    "tell_outside",
    "try_webhook",
]
