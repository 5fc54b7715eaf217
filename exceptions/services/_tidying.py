"""Runs the ways out of what is wrong in the house itself: duties, months, prices."""

from datetime import datetime, timedelta

from erp.accounts.models import Entity, Role, User
from erp.governance.services import end_role as take_role
from erp.governance.services import mitigate_conflict
from exceptions.rules.plays import Done, Play
from exceptions.services._freeing import person
from finance.services import invoice_shipments
from orders.services import place_hold


def end_role(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    take_role(
        user=User.objects.get(pk=int(facts["user_id"])),
        entity=Entity.objects.get(pk=int(facts["entity_id"])),
        role=Role(str(facts["role"])),
        actor=person(actor),
        now=now,
    )
    return Done(f"{play.title}: done.")


def bear(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    holder = User.objects.get(pk=int(facts["user_id"]))
    for pair in str(facts["pairs"]).split(","):
        one, _, other = pair.partition("+")
        mitigate_conflict(
            person=holder,
            entity_id=int(facts["entity_id"]),
            one=one,
            other=other,
            reason=play.title,
            until=now + timedelta(days=int(facts["days"])),
            actor=person(actor),
            now=now,
        )
    return Done(f"{play.title}: done.")


def invoice_month(play: Play, actor: User | None, now: datetime) -> Done:
    shipments = [int(one) for one in str(play.facts["shipments"]).split(",")]
    done = invoice_shipments(shipment_ids=shipments, now=now)
    return Done(f"{play.title}: {len(done)} invoices.")


def stop_order(play: Play, actor: User | None, now: datetime) -> Done:
    place_hold(
        order_id=int(play.facts["order_id"]),
        reason=play.title,
        actor=actor,
        now=now,
        owner_role="pricing",
    )
    return Done(f"{play.title}: done.")
