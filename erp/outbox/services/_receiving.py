"""The inbox: what came from outside is acted on once."""

from datetime import datetime

from django.db import transaction

from erp.kernel.sql import run

REMEMBER = """
    INSERT INTO outbox_inboxmessage (source, message_id, received_at) VALUES (%s, %s, %s)
    ON CONFLICT (source, message_id) DO NOTHING
"""


@transaction.atomic
def first_time(*, source: str, message_id: str, now: datetime) -> bool:
    """Remember a message of `source` and say if it is new.

    Belongs in the transaction that acts on the message: roll back and it was never received. Waits
    for a transaction that is acting on the same message.
    """
    return run(REMEMBER, [source, message_id, now]) == 1
