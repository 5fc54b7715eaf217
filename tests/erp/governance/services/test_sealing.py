"""erp/governance/services/_sealing.py and selectors/_chain.py: the chains and their proof."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.db import InternalError, connection, transaction

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry, AuditSeal, AuditSealing
from erp.governance.selectors import INVARIANTS, ChainReport, audit_heads, verify_audit
from erp.governance.services import Change, record, seal_audit
from erp.kernel.invariants import check
from erp.kernel.sql import rows, run
from tests.conftest import NOW

CHAIN = next(each for each in INVARIANTS if each.code == "governance.audit_chain")


def write(entity: Entity | None, *numbers: int, actor: User | None = None) -> list[int]:
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    changes = [
        Change(
            entity.pk if entity else None, "test.change", "test.thing", n, f"test.thing:{n}",
            before={"price": "1.00", "name": "Grün"}, after={"price": f"{n}.00", "a": None},
        )
        for n in numbers
    ]  # fmt: skip
    record(changes=changes, actor=actor, now=NOW)
    return list(
        AuditEntry.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True)
    )


@contextmanager
def as_owner_of_the_tables() -> Iterator[None]:
    """Do what only who owns the database can: nothing of ours watches."""
    tables = ("governance_auditentry", "governance_auditseal", "governance_auditsealing")
    run("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    run("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(statement: str, *params: object) -> None:
    with as_owner_of_the_tables():
        assert run(statement, params)


def first(report: ChainReport) -> tuple[str, int, int | None, str]:
    assert not report.is_whole
    assert check(CHAIN).violations
    link = report.broken[0]
    return link.kind, link.entry_id, link.seal, link.chain


@pytest.mark.django_db
class TestSealAudit:
    def test_seals_each_chain_once(self, entity: Entity) -> None:
        ours, house = write(entity, 1, 2, 3), write(None, 4)

        assert seal_audit(now=NOW) >= 4
        assert seal_audit(now=NOW) == 0

        seal = AuditSeal.objects.get(entity=entity)
        assert (seal.number, seal.count, seal.entry_ids) == (1, 3, ours)
        assert bytes(seal.previous) == b""
        assert AuditSeal.objects.get(entity=None).entry_ids[-1:] == house

    def test_binds_a_seal_to_the_one_before(self, entity: Entity) -> None:
        for number in range(3):
            write(entity, number)
            seal_audit(now=NOW)

        seals = list(AuditSeal.objects.filter(entity=entity).order_by("number"))

        assert [seal.number for seal in seals] == [1, 2, 3]
        assert [bytes(s.previous) for s in seals[1:]] == [bytes(s.head) for s in seals[:-1]]
        assert verify_audit().is_whole
        assert check(CHAIN).violations == 0

    def test_cuts_what_is_much_into_rounds(
        self, entity: Entity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("erp.governance.services._sealing.BATCH", 2)
        write(entity, *range(5))

        seal_audit(now=NOW)

        assert [s.count for s in AuditSeal.objects.filter(entity=entity).order_by("number")] == [
            2, 2, 1,
        ]  # fmt: skip
        assert verify_audit().is_whole

    def test_can_be_recomputed_by_anybody(self, entity: Entity, clerk: User) -> None:
        (pk,) = write(entity, 7, actor=clerk)
        seal_audit(now=NOW)
        seal = AuditSeal.objects.get(entity=entity)

        said = [
            pk, f"{NOW:%Y-%m-%dT%H:%M:%S.%f}", entity.pk, clerk.pk, "person", None, "test.change",
            "test.thing", 7, "test.thing:7", {"name": "Grün", "price": "1.00"},
            {"a": None, "price": "7.00"}, "", "", "",
        ]  # fmt: skip
        leaf = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).digest()
        what = f"{entity.pk}|1|{seal.after}|{seal.upto}|1".encode()
        head = hashlib.sha256(what + hashlib.sha256(leaf).digest()).digest()

        assert bytes(seal.leaves[0]) == leaf
        assert bytes(seal.head) == head

    def test_is_never_changed(self, entity: Entity) -> None:
        write(entity, 1)
        seal_audit(now=NOW)

        with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            AuditSeal.objects.update(count=2)


@pytest.mark.django_db
class TestVerifyAudit:
    @pytest.fixture
    def ids(self, entity: Entity) -> list[int]:
        """Two seals of three entries each, and what is not sealed yet."""
        seal_audit(now=NOW)
        found = write(entity, 1, 2, 3)
        seal_audit(now=NOW)
        found += write(entity, 4, 5, 6)
        seal_audit(now=NOW)
        write(entity, 7)
        return found

    def test_counts_what_is_sealed_and_what_is_not(self, ids: list[int]) -> None:
        report = verify_audit()

        assert report.is_whole
        assert report.unsealed == 1
        assert report.sealed == sum(AuditSeal.objects.values_list("count", flat=True))

    @pytest.mark.parametrize(
        "change",
        ["after = '{\"price\": \"9.00\"}'", "reason = 'x'", "actor_id = NULL, at = at + '1 us'",
         "action = 'test.other'", "before = NULL", "policy_version = 'p v2'"],
    )  # fmt: skip
    def test_names_a_changed_entry(self, ids: list[int], change: str) -> None:
        tamper("UPDATE governance_auditentry SET " + change + " WHERE id = %s", ids[4])  # noqa: S608

        assert first(verify_audit()) == ("changed", ids[4], 2, "US01")

    def test_names_a_deleted_entry(self, ids: list[int]) -> None:
        tamper("DELETE FROM governance_auditentry WHERE id = %s", ids[1])

        assert first(verify_audit()) == ("deleted", ids[1], 1, "US01")

    def test_names_an_entry_slipped_into_a_gap(self, entity: Entity) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            write(entity, 1)
            raise ZeroDivisionError  # its number is never used
        (pk,) = write(entity, 2)
        seal_audit(now=NOW)

        tamper(
            "INSERT INTO governance_auditentry SELECT (jsonb_populate_record(a,"
            " jsonb_build_object('id', a.id - 1))).* FROM governance_auditentry a WHERE id = %s",
            pk,
        )

        assert first(verify_audit()) == ("inserted", pk - 1, None, "US01")

    def test_names_the_first_of_entries_that_changed_places(self, ids: list[int]) -> None:
        one, other = ids[1], ids[4]
        for old, new in ((one, -1), (other, one), (-1, other)):
            tamper("UPDATE governance_auditentry SET id = %s WHERE id = %s", new, old)

        report = verify_audit()

        assert first(report) == ("changed", one, 1, "US01")
        assert [link.entry_id for link in report.broken] == [one, other]

    def test_names_an_entry_moved_to_another_chain(self, ids: list[int]) -> None:
        tamper("UPDATE governance_auditentry SET entity_id = NULL WHERE id = %s", ids[0])

        assert first(verify_audit()) == ("changed", ids[0], 1, "US01")

    def test_names_a_tail_that_was_cut(self, ids: list[int]) -> None:
        tamper("DELETE FROM governance_auditentry WHERE id >= %s", ids[3])
        tamper("DELETE FROM governance_auditseal WHERE upto >= %s", ids[3])

        assert first(verify_audit()) == ("tail cut", ids[2] + 1, 2, "US01")

    def test_names_a_tail_of_entries_alone(self, ids: list[int]) -> None:
        tamper("DELETE FROM governance_auditentry WHERE id >= %s", ids[3])

        assert first(verify_audit()) == ("deleted", ids[3], 2, "US01")

    def test_names_a_missing_and_a_changed_seal(self, ids: list[int], entity: Entity) -> None:
        with transaction.atomic():
            tamper("DELETE FROM governance_auditseal WHERE upto = %s", ids[2])
            assert first(verify_audit()) == ("seal missing before", ids[3], 2, "US01")
            transaction.set_rollback(True)
        tamper(
            "UPDATE governance_auditseal SET sealed_at = now(), count = 2 WHERE upto = %s", ids[2]
        )
        assert first(verify_audit()) == ("seal changed", ids[0], 1, "US01")

    def test_kept_heads_betray_a_chain_written_anew(
        self, ids: list[int], entity: Entity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = tmp_path / "heads.json"
        call_command("verify_audit", keep=kept)
        capsys.readouterr()
        with as_owner_of_the_tables():
            run("DELETE FROM governance_auditentry WHERE id = %s", [ids[5]])
            AuditSeal.objects.all().delete()
            AuditSealing.objects.all().delete()
        seal_audit(now=NOW + timedelta(days=1))
        write(entity, 8)

        assert verify_audit().is_whole  # by itself it looks well
        with pytest.raises(SystemExit):
            call_command("verify_audit", heads=kept, json=True)

        said = json.loads(capsys.readouterr().out)
        assert not said["is_whole"]
        assert {link["kind"] for link in said["broken"]} == {"not the head that was kept"}
        assert {link["chain"] for link in said["broken"]} >= {"US01"}

    def test_shows_nothing_of_other_entities(self, ids: list[int], entity: Entity) -> None:
        other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        tamper("UPDATE governance_auditentry SET reason = 'x' WHERE id = %s", ids[0])

        assert verify_audit(entity_ids=[other.pk]).is_whole
        assert {head.chain for head in audit_heads([other.pk])} <= {"house"}


@pytest.mark.django_db(transaction=True)
class TestHorizon:
    def test_waits_for_who_may_bring_a_smaller_id(self, entity: Entity) -> None:
        seal_audit(now=NOW)
        wrote, may_end, starts, ended = Event(), Event(), Event(), Event()

        def slow(done: Event, go: Event) -> None:
            with transaction.atomic():
                write(entity, 1)
                done.set()
                go.wait(20)
            connection.close()

        writer = Thread(target=slow, args=(wrote, may_end))
        writer.start()
        wrote.wait(20)
        (later,) = write(entity, 2)

        assert seal_audit(now=NOW) == 0
        assert seal_audit(now=NOW) == 0
        newcomer = Thread(target=slow, args=(starts, ended))  # it cannot delay the others
        newcomer.start()
        starts.wait(20)
        may_end.set()
        writer.join()
        assert seal_audit(now=NOW) == 2
        seal = AuditSeal.objects.get(entity=entity)
        assert seal.entry_ids[1] == later
        assert seal.entry_ids[0] < later
        ended.set()
        newcomer.join()

        assert seal_audit(now=NOW) == 1
        assert verify_audit().is_whole

    def test_is_done_by_one_at_a_time(self, entity: Entity) -> None:
        write(entity, 1)
        AuditSealing.objects.get_or_create(pk=1)
        with transaction.atomic():
            rows("SELECT 1 FROM governance_auditsealing FOR UPDATE")
            found: list[int] = []

            def seal() -> None:
                found.append(seal_audit(now=NOW))
                connection.close()

            other = Thread(target=seal)
            other.start()
            other.join()

        assert found == [0]
        assert seal_audit(now=NOW) >= 1
