"""Runs the ways out of goods on their way."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from erp.accounts.models import User
from exceptions.rules.plays import Done, Play
from exceptions.services._freeing import person
from exceptions.services._waiting import wait
from finance.services import receive_transfer
from inventory.services import deliver_shipments, fail_shipment
from inventory.services.counting import plan_count
from inventory.services.rerouting import reroute_shipment
from inventory.services.transferring import Came

CHASE_HOURS = 24


def send(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    number = reroute_shipment(
        shipment_id=int(facts["shipment_id"]),
        carrier_id=int(facts["carrier_id"]) or None,
        planned_date=date.fromisoformat(str(facts["leaves"])),
        promised_date=play.new_date,
        reason=play.title,
        actor=actor,
        now=now,
    )
    return Done(f"{number}: {play.title[0].lower()}{play.title[1:]}.")


def note_arrival(play: Play, actor: User | None, now: datetime) -> Done:
    deliver_shipments(shipment_ids=[int(play.facts["shipment_id"])], actor=actor, now=now)
    return Done(f"{play.title}: done.")


def note_failure(play: Play, actor: User | None, now: datetime) -> Done:
    fail_shipment(
        shipment_id=int(play.facts["shipment_id"]),
        reason="Nobody knows where it is",
        actor=actor,
        now=now,
    )
    return Done(f"{play.title}: done.")


def chase(play: Play, actor: User | None, now: datetime) -> Done:
    wait(
        case_id=int(play.facts["case_id"]),
        on="carrier",
        until=now + timedelta(hours=CHASE_HOURS),
        reason=play.title,
        actor=person(actor),
        now=now,
    )
    return Done(f"{play.title}: asked again in {CHASE_HOURS} hours.", play.facts)


def accept_loss(play: Play, actor: User | None, now: datetime) -> Done:
    return _settle(play, "lost", actor, now)


def came_late(play: Play, actor: User | None, now: datetime) -> Done:
    return _settle(play, "received", actor, now)


def came_back(play: Play, actor: User | None, now: datetime) -> Done:
    return _settle(play, "returned", actor, now)


def count_there(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    made = plan_count(
        entity_id=int(facts["entity_id"]),
        node_id=int(facts["node_id"]),
        stock_ids=[int(one) for one in str(facts["stocks"]).split(",")],
        cause=f"{facts['number']} came short",
        actor=actor,
        now=now,
    )
    return Done(f"{play.title}: {made.number}.")


def _settle(play: Play, outcome: str, actor: User | None, now: datetime) -> Done:
    pairs = (one.partition("=") for one in str(play.facts["pieces"]).split(","))
    receive_transfer(
        transfer_id=int(play.facts["transfer_id"]),
        came=[Came(int(piece), outcome, Decimal(quantity)) for piece, _, quantity in pairs],
        is_last=True,
        said=play.title,
        actor=actor,
        now=now,
    )
    return Done(f"{play.title}: done.")
