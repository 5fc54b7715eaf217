"""Everything that changes the outbox from outside."""

from erp.outbox.services._receiving import first_time
from erp.outbox.services._replaying import replay_deliveries

__all__ = ["first_time", "replay_deliveries"]
