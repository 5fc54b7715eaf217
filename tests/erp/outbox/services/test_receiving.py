"""erp/outbox/services/_receiving.py"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connections, transaction

from erp.outbox.models import InboxMessage
from erp.outbox.services import first_time


@pytest.mark.django_db
class TestFirstTime:
    def test_is_so_once(self, now: datetime) -> None:
        answers = [first_time(source="edi", message_id="1", now=now) for _ in range(3)]

        assert answers == [True, False, False]
        assert InboxMessage.objects.count() == 1

    def test_sources_do_not_share_ids(self, now: datetime) -> None:
        assert first_time(source="edi", message_id="1", now=now)
        assert first_time(source="wms", message_id="1", now=now)

    def test_what_was_rolled_back_was_not_received(self, now: datetime) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            first_time(source="edi", message_id="1", now=now)
            raise ZeroDivisionError

        assert first_time(source="edi", message_id="1", now=now)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_first(now: datetime) -> None:
    def receive(_: int) -> bool:
        try:
            return first_time(source="edi", message_id="1", now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(receive, range(16))) == 1
