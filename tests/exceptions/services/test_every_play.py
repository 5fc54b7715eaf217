"""exceptions/services/_running.py: every play that is registered, whole or not at all."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from erp.accounts.models import Entity
from erp.kernel.sql import rows
from exceptions.models import ExceptionCase, PlayRun
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.selectors import TYPES, plays_of
from exceptions.services import run_play
from exceptions.services._running import RUNNERS
from exceptions.services._undoing import UNDOERS
from tests.exceptions import factories
from tests.exceptions.scenes import SCENES

APPS = (
    "orders", "inventory", "procurement", "finance", "exceptions", "governance", "outbox",
    "accounts",
)  # fmt: skip
WRITES = re.compile(r"^\s*EXECUTE|\b(INSERT INTO|DELETE FROM)\b|(?<!FOR )(?<!KEY )\bUPDATE\b")

TABLE = """
    SELECT '{table}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')
    FROM "{table}" t
"""


class Injected(Exception):
    """A failure of our making."""


class PullsThePlug:
    """Lets so many writes of the transaction through, and fails at the next."""

    def __init__(self, after: int) -> None:
        self.left, self.has_failed = after, False

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if WRITES.search(sql):
            if self.left == 0:
                self.has_failed = True
                raise Injected(sql)
            self.left -= 1
        return execute(sql, *rest)


def digest() -> dict[str, str]:
    """Return what stands in every table of the domains, in short. One query."""
    tables = sorted(
        model._meta.db_table for label in APPS for model in apps.get_app_config(label).get_models()
    )
    statement = " UNION ALL ".join(TABLE.replace("{table}", one) for one in tables)
    return dict(rows(statement, {}))


def test_each_play_has_a_name_a_runner_a_scene_and_a_type() -> None:
    of_types = {key for kind in TYPES.values() for key in kind.plays}

    assert set(RUNNERS) == set(PLAY_KINDS) == set(SCENES) == of_types
    assert set(UNDOERS) == {key for key, kind in PLAY_KINDS.items() if kind.undo}
    assert all(bool(kind.undo) != bool(kind.final) for kind in PLAY_KINDS.values())


@pytest.mark.parametrize("key", sorted(RUNNERS))
class TestEveryPlay:
    def test_is_offered_with_its_price_and_runs(self, key: str, entity: Entity) -> None:
        case, who, now = SCENES[key]()
        (play,) = [one for one in plays_of(case, user=who, now=now) if one.key == key]
        assert play.barred == ""
        assert play.gate
        assert play.reasons
        before = digest()

        run = run_play(case_id=case.pk, key=key, actor=who, now=now, quoted=play.cost)
        assert isinstance(run, PlayRun)

        assert (run.key, run.chosen["cost"]) == (key, str(play.cost))
        moved = {table for table, said in digest().items() if said != before[table]}
        assert moved - {"exceptions_playrun", "exceptions_exceptioncase", "governance_auditentry"}
        assert ExceptionCase.objects.get(pk=case.pk).state in {
            "resolved", "in_progress", "waiting",
        }  # fmt: skip

    def test_that_fails_at_any_write_leaves_everything_as_it_was(
        self, key: str, entity: Entity
    ) -> None:
        case, who, now = SCENES[key]()
        before = digest()

        for step in range(500):
            plug = PullsThePlug(after=step)
            try:
                with connection.execute_wrapper(plug):
                    run_play(case_id=case.pk, key=key, actor=who, now=now)
            except Injected:
                assert digest() == before, f"something stayed after write {step} failed"
            if not plug.has_failed:
                break

        assert not plug.has_failed
        assert step > 3  # the case, the run, the trail, and what the play is for
        assert PlayRun.objects.filter(case=case, key=key).count() == 1
        assert digest() != before


@pytest.mark.django_db
def test_nobody_learns_of_a_sister_company_s_stock_by_a_way_out(entity: Entity) -> None:
    case, who, now = SCENES["transfer_group"]()
    stranger = factories.person("stranger", "planner")

    offered = {play.key for play in plays_of(case, user=stranger, now=now)}
    theirs = {play.key for play in plays_of(case, user=who, now=now)}
    other = min(offered)
    run = run_play(case_id=case.pk, key=other, actor=who, now=now)

    assert theirs - offered == {"transfer_group"}
    assert isinstance(run, PlayRun)
    assert "transfer_group" not in {one["key"] for one in run.alternatives}
