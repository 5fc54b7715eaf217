"""Tells people about cases: at once in the application, by e-mail as they want it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from erp.accounts.models import User
from erp.kernel.sql import records, rows, run
from exceptions.models import NoticePreference
from exceptions.selectors import label_of

TEXT_MAX = 300
URGENT = 2  # severities up to this one are mailed at once to who asks for the important
MAILS_AT_A_TIME = 50
PER_MAIL = 100

TELL = """
    INSERT INTO exceptions_notice (user_id, case_id, kind, key, text, at, mail_at)
    SELECT new.person, new.case_id, new.kind, new.key, new.text, %(now)s,
        CASE WHEN u.email = '' OR coalesce(p.mail, 'important') = 'none' THEN NULL
             WHEN p.mail = 'at_once' OR coalesce(p.mail, 'important') = 'important' AND new.urgent
                 THEN %(now)s::timestamptz
             ELSE coalesce(
                 (SELECT min(n.mail_at) FROM exceptions_notice n
                  WHERE n.user_id = new.person AND n.mailed_at IS NULL AND n.read_at IS NULL
                    AND n.mail_at > %(now)s),
                 %(now)s::timestamptz + make_interval(mins => coalesce(p.digest_minutes, 240)))
        END
    FROM unnest(%(people)s::bigint[], %(cases)s::bigint[], %(kinds)s::text[], %(keys)s::text[],
        %(texts)s::text[], %(urgent)s::boolean[])
        AS new (person, case_id, kind, key, text, urgent)
    JOIN accounts_user u ON u.id = new.person AND u.is_active
    LEFT JOIN exceptions_noticepreference p ON p.user_id = new.person
    ORDER BY new.person, new.key
    ON CONFLICT (user_id, key) DO NOTHING
"""
DUE = """
    SELECT u.id FROM accounts_user u
    WHERE EXISTS (
        SELECT FROM exceptions_notice n WHERE n.user_id = u.id AND n.mail_at <= %(now)s
          AND n.mailed_at IS NULL AND n.read_at IS NULL
    )
    ORDER BY u.id LIMIT %(limit)s
"""
# A person's notices are taken by one worker at a time; what is locked is somebody else's to send.
TAKE = """
    WITH taken AS (
        SELECT n.id FROM exceptions_notice n
        WHERE n.user_id = %(user)s AND n.mail_at <= %(now)s AND n.mailed_at IS NULL
          AND n.read_at IS NULL
        ORDER BY n.id LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    UPDATE exceptions_notice n SET mailed_at = %(now)s FROM taken WHERE n.id = taken.id
    RETURNING n.id, n.text, n.case_id, n.kind
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one person is to be told. The same `key` is told nobody twice."""

    user_id: int
    case_id: int
    kind: str
    key: str
    text: str
    is_urgent: bool = False


def tell(told: Iterable[Told], now: datetime) -> None:
    """Write notices; those that were told before are left out. One statement."""
    found = [one for one in told if one.user_id]
    if not found:
        return
    run(
        TELL,
        {
            "now": now,
            "people": [one.user_id for one in found],
            "cases": [one.case_id for one in found],
            "kinds": [one.kind for one in found],
            "keys": [one.key for one in found],
            "texts": [one.text[:TEXT_MAX] for one in found],
            "urgent": [one.is_urgent for one in found],
        },
    )


def in_words(type_code: str, subject_label: str, severity: int, said: str) -> str:
    """Return the text of a notice: what it is about first."""
    return f"S{severity} {label_of(type_code)} {subject_label}: {said}"[:TEXT_MAX]


@transaction.atomic
def send_next_mail(*, now: datetime) -> bool:
    """Send one person what is due to them by e-mail, as one message; False if nothing is due.

    What another worker is sending is left to it. A crash between sending and committing sends that
    one message again; one that the server refused stays due.

    Raises:
        OSError: the mail server refused.
    """
    for (user_id,) in rows(DUE, {"now": now, "limit": MAILS_AT_A_TIME}):
        if _send(user_id, now):
            return True
    return False


@transaction.atomic
def read_notices(*, user: User, now: datetime, up_to: int | None = None) -> None:
    """Mark what this person was told, up to one notice or all of it, as read."""
    run(
        "UPDATE exceptions_notice SET read_at = %(now)s WHERE user_id = %(user)s"
        " AND read_at IS NULL AND (%(up_to)s::bigint IS NULL OR id <= %(up_to)s)",
        {"now": now, "user": user.pk, "up_to": up_to},
    )


@transaction.atomic
def prefer(*, user: User, mail: str, digest_minutes: int) -> NoticePreference:
    """Keep how this person wants to be told.

    Raises:
        ValueError: no such way, or minutes outside 5 to 1,440.
    """
    least, most = 5, 1_440
    if mail not in NoticePreference.Mail.values or not least <= digest_minutes <= most:
        raise ValueError("no such way to be told")
    return NoticePreference.objects.update_or_create(
        user=user, defaults={"mail": mail, "digest_minutes": digest_minutes}
    )[0]


def _send(user_id: int, now: datetime) -> bool:
    taken = records(TAKE, {"user": user_id, "now": now, "limit": PER_MAIL})
    if not taken:
        return False
    taken.sort(key=lambda one: int(one["id"]))
    person = User.objects.get(pk=user_id)
    subject = taken[0]["text"] if len(taken) == 1 else f"{len(taken)} things about exceptions"
    lines = [
        f"- {one['text']}\n  {settings.PUBLIC_URL}/exceptions/{one['case_id']}/" for one in taken
    ]
    EmailMessage(subject=subject[:150], body="\n".join(lines), to=[person.email]).send()
    return True
