"""Everything that tells customers how their orders come along."""

from orders.services.telling._following import (
    BadSubscription,
    SubscriptionDraft,
    follow_milestones,
    stop_following,
)
from orders.services.telling._linking import revoke_tracking
from orders.services.telling._noting import Reached, mark_told, note_milestones, note_shipments

__all__ = [
    "BadSubscription",
    "Reached",
    "SubscriptionDraft",
    "follow_milestones",
    "mark_told",
    "note_milestones",
    "note_shipments",
    "revoke_tracking",
    "stop_following",
]
