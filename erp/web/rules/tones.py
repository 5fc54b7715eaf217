"""Which colour and which words a state gets, on every page alike."""

TONES: dict[str, frozenset[str]] = {
    "s1": frozenset({
        "blocked", "breached", "cancelled", "canceled", "dead", "declined", "disputed", "expired",
        "failed", "late", "lost", "overdue", "refused", "rejected", "short", "stale", "void",
        "voided",
    }),
    "s2": frozenset({
        "at_risk", "backordered", "escalated", "exception", "held", "hold", "mismatch", "on_hold",
        "partially_allocated", "partially_received", "partly_allocated", "partly_received",
        "quarantine", "quarantined", "short_picked",
    }),
    "s3": frozenset({
        "checked", "lapsed", "simulated", "soft_closed",
        "awaiting_approval", "in_review", "recount", "review",
        "partially_paid", "partially_shipped", "partly_paid",
        "partly_shipped", "pending", "pending_approval", "proposed", "requested", "snoozed",
        "due", "submitted", "waiting",
    }),
    "ok": frozenset({
        "committed", "kept", "ordered", "used", "reviewed", "run",
        "active", "accepted", "allocated", "applied", "approved", "available", "closed",
        "completed", "confirmed", "delivered", "done", "filled", "fulfilled", "imported",
        "invoiced", "matched", "met", "open_period", "paid", "passed", "posted", "received",
        "reserved", "resolved", "served", "settled", "shipped", "succeeded", "told", "verified",
    }),
    "now": frozenset({
        "fulfilling", "queued", "uploaded",
        "acknowledged", "assigned", "allocating", "in_progress", "in_transit", "issued", "loading",
        "open", "packed", "packing", "partially_picked", "pegged", "picked", "picking", "planned",
        "asked", "chosen", "released", "running", "sent", "working",
    }),
}  # fmt: skip
TONE_OF = {name: tone for tone, names in TONES.items() for name in names}
SEVERITIES = {"1": "s1", "2": "s2", "3": "s3", "4": ""}


def state_tone(name: str) -> str:
    """Return the tone of a state by its name; one that is not known stays neutral."""
    return TONE_OF.get(name.lower(), "")


def state_label(name: str) -> str:
    """Return a state's name as words: `partly_allocated` is "partly allocated"."""
    return name.replace("_", " ").lower()
