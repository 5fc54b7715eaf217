"""erp/partners/services/telling: told once, signed, in order, again and again until it is taken"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.utils import timezone

from erp.accounts.models import Entity
from erp.kernel.outside import Reply
from erp.partners.models import Webhook, WebhookDelivery
from erp.partners.rules.signing import WAITS
from erp.partners.services.telling import (
    BadWebhook,
    Telling,
    WebhookDraft,
    add_webhook,
    claim_tellings,
    pause_webhook,
    replay_tellings,
    rotate_secret,
    settle_telling,
    tell_outside,
    try_webhook,
)
from erp.partners.tasks import send_tellings
from exceptions.services import fire_due_timers
from tests.exceptions import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
TAKEN, BROKEN = Reply(200, "ok", 5), Reply(500, "no", 5)


class Listener(BaseHTTPRequestHandler):
    told: ClassVar[list[tuple[dict[str, str], bytes]]] = []
    answers: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append(({name.lower(): one for name, one in self.headers.items()}, body))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener(settings: Any) -> Iterator[str]:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    Listener.told.clear()
    Listener.answers.clear()
    server = HTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def hook(entity: Entity, url: str = "https://example.com/hook", name: str = "Pager") -> Webhook:
    draft = WebhookDraft(name=name, url=url)
    return add_webhook(entity_id=entity.pk, draft=draft, actor=None, now=NOW)


def fact(entity: Entity, event_id: str = "msg_1", key: str = "case:1", **data: Any) -> Telling:
    name = "exceptions.case_escalated"
    return Telling(entity.pk, event_id, name, key, NOW, data or {"case_id": 1})


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify as the other side does, by the standard's words."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    ours = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return ours in headers["webhook-signature"].split(" ")


class TestTellOutside:
    def test_tells_each_that_listens_once_and_no_other_entity(self, entity: Entity) -> None:
        hook(entity)
        hook(entity, name="Ticketing")
        hook(factories.company("DE01"), name="Theirs")

        first = tell_outside(facts=[fact(entity), fact(entity, "msg_2")], now=NOW)
        again = tell_outside(facts=[fact(entity)], now=NOW)

        assert (first, again) == (4, 0)
        assert set(WebhookDelivery.objects.values_list("webhook__name", flat=True)) == {
            "Pager", "Ticketing",
        }  # fmt: skip

    def test_is_what_an_escalation_does_whose_rung_wants_it(
        self, entity: Entity, listener: str, deliver_all: Any
    ) -> None:
        made = hook(entity, listener)
        case = factories.shortage_case(quantity=600, unit_price=50)

        fire_due_timers(now=case.acknowledge_by)
        deliver_all()
        deliver_all()
        WebhookDelivery.objects.update(due_at=timezone.now())
        send_tellings()

        ((headers, body),) = Listener.told
        said = json.loads(body)
        assert is_signed(made.secret, headers, body)
        assert said["type"] == "exceptions.case_escalated"
        assert said["data"]["subject"] == case.subject_label
        assert said["data"]["due_at"] == case.acknowledge_by.isoformat()
        assert said["id"] == headers["webhook-id"]
        assert WebhookDelivery.objects.get().state == "sent"


class TestClaim:
    def test_keeps_one_aggregate_in_order_and_others_free(self, entity: Entity) -> None:
        hook(entity)
        tell_outside(
            facts=[fact(entity, "a1", "case:1"), fact(entity, "a2", "case:1"),
                   fact(entity, "b1", "case:2")],
            now=NOW,
        )  # fmt: skip

        first = claim_tellings(now=NOW)
        settle_telling(delivery_id=first[0].delivery_id, reply=TAKEN, now=NOW)
        second = claim_tellings(now=NOW)

        assert [one.headers["webhook-id"] for one in first] == ["a1", "b1"]
        assert [one.headers["webhook-id"] for one in second] == ["a2"]

    def test_gives_back_what_a_dead_worker_had_in_hand(self, entity: Entity) -> None:
        hook(entity)
        tell_outside(facts=[fact(entity)], now=NOW)
        claim_tellings(now=NOW)

        assert claim_tellings(now=NOW + timedelta(seconds=59)) == []
        assert len(claim_tellings(now=NOW + timedelta(seconds=60))) == 1

    def test_leaves_what_is_paused_until_it_goes_on(self, entity: Entity) -> None:
        made = hook(entity)
        tell_outside(facts=[fact(entity)], now=NOW)
        pause_webhook(webhook_id=made.pk, is_paused=True, actor=None, now=NOW)
        assert claim_tellings(now=NOW) == []

        pause_webhook(webhook_id=made.pk, is_paused=False, actor=None, now=NOW)

        assert len(claim_tellings(now=NOW)) == 1


class TestSettle:
    def test_waits_longer_each_time_and_gives_up_after_the_last(self, entity: Entity) -> None:
        hook(entity)
        tell_outside(facts=[fact(entity)], now=NOW)
        at, waited = NOW, []

        for _ in range(len(WAITS) + 1):
            (claimed,) = claim_tellings(now=at)
            settled = settle_telling(delivery_id=claimed.delivery_id, reply=BROKEN, now=at)
            waited.append(settled.due_at - at)
            at = max(at, settled.due_at)

        assert waited[:-1] == list(WAITS)
        found = WebhookDelivery.objects.get()
        assert (found.state, found.attempts, found.last_status) == ("dead", len(WAITS) + 1, 500)
        assert sum(WAITS, timedelta()) > timedelta(hours=44)
        assert claim_tellings(now=at + timedelta(days=9)) == []

    def test_tries_again_over_the_wire_until_it_is_taken(
        self, entity: Entity, listener: str
    ) -> None:
        hook(entity, listener)
        Listener.answers += [503, 302]
        tell_outside(facts=[fact(entity)], now=timezone.now())

        for _ in range(3):
            send_tellings()
            WebhookDelivery.objects.filter(state="pending").update(due_at=timezone.now())

        found = WebhookDelivery.objects.get()
        assert (found.state, found.attempts, found.last_status) == ("sent", 3, 200)
        assert len({one["webhook-id"] for one, _ in Listener.told}) == 1


class TestSecrets:
    def test_both_sign_for_a_day_after_a_rotation(self, entity: Entity) -> None:
        made = hook(entity)
        old, new = made.secret, rotate_secret(webhook_id=made.pk, actor=None, now=NOW).secret
        day = timedelta(hours=24)

        for event_id, at, signers in (
            ("a", NOW + day - timedelta(seconds=1), {old, new}),
            ("b", NOW + day, {new}),
        ):
            tell_outside(facts=[fact(entity, event_id, event_id)], now=NOW)
            (out,) = [
                one for one in claim_tellings(now=at) if one.headers["webhook-id"] == event_id
            ]
            found = {one for one in (old, new) if is_signed(one, dict(out.headers), out.body)}
            assert found == signers
            settle_telling(delivery_id=out.delivery_id, reply=TAKEN, now=at)

    def test_are_not_guessed_by_another(self, entity: Entity) -> None:
        made, other = hook(entity), hook(entity, name="Other")
        tell_outside(facts=[fact(entity)], now=NOW)

        mine, theirs = claim_tellings(now=NOW)

        assert is_signed(made.secret, dict(mine.headers), mine.body)
        assert not is_signed(other.secret, dict(mine.headers), mine.body)
        assert not is_signed(made.secret, dict(mine.headers), mine.body + b" ")
        assert is_signed(other.secret, dict(theirs.headers), theirs.body)


class TestReplay:
    def test_sends_again_what_was_settled_under_the_same_id(self, entity: Entity) -> None:
        made = hook(entity)
        tell_outside(facts=[fact(entity)], now=NOW)
        (claimed,) = claim_tellings(now=NOW)
        assert replay_tellings(delivery_ids=[claimed.delivery_id], actor=None, now=NOW) == []
        settle_telling(delivery_id=claimed.delivery_id, reply=TAKEN, now=NOW)

        replay_tellings(delivery_ids=[claimed.delivery_id], actor=None, now=NOW)

        (again,) = claim_tellings(now=NOW)
        assert again.headers["webhook-id"] == claimed.headers["webhook-id"]
        assert try_webhook(webhook_id=made.pk, actor=None, now=NOW).event == "webhook.test"


class TestAddWebhook:
    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("url", {"url": "https://127.0.0.1/"}), ("url", {"url": "http://example.com/"}),
            ("name", {"name": " "}), ("events", {"events": ["orders.order_placed"]}),
            ("events", {"events": []}),
        ],
    )  # fmt: skip
    def test_refuses_bad_ones_and_keeps_nothing(
        self, entity: Entity, field: str, values: dict[str, Any]
    ) -> None:
        draft = WebhookDraft(**{"name": "Pager", "url": "https://example.com/"} | values)

        with pytest.raises(BadWebhook) as refusal:
            add_webhook(entity_id=entity.pk, draft=draft, actor=None, now=NOW)

        assert refusal.value.errors[0]["field"] == field
        assert not Webhook.objects.exists()

    def test_takes_a_name_once(self, entity: Entity) -> None:
        hook(entity)

        with pytest.raises(BadWebhook):
            hook(entity)


@pytest.mark.django_db(transaction=True)
def test_many_workers_take_each_telling_once() -> None:
    company = factories.company()
    hook(company)
    tell_outside(facts=[fact(company, f"m{n}", f"case:{n}") for n in range(12)], now=NOW)

    def work(_: int) -> list[int]:
        try:
            return [one.delivery_id for _ in range(6) for one in claim_tellings(now=NOW, limit=2)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        taken = [one for part in workers.map(work, range(4)) for one in part]

    assert len(taken) == len(set(taken)) == 12
