"""erp/kernel/states.py, erp/kernel/sql.py"""

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.sql import records, rows, run
from erp.kernel.states import move, sources_of, target_of


class Door(FSMModelMixin, models.Model):
    """A door, for these tests alone."""

    state = FSMField(default="shut", protected=True)
    by = models.CharField(max_length=10, default="")

    class Meta:
        apps = Apps()  # of its own, so that nobody else sees it
        app_label = "outbox"
        db_table = "test_door"

    def __str__(self) -> str:
        return self.state

    @transition(field=state, source=["shut", "ajar"], target="open")
    def open(self) -> None:
        """Open it."""

    @transition(field=state, source="open", target="shut")
    def shut(self) -> None:
        """Shut it."""


@pytest.fixture
def doors(db: None) -> dict[str, int]:
    with connection.schema_editor() as editor:
        editor.create_model(Door)
    for state in ("shut", "ajar", "open", "gone"):
        Door.objects.create(state=state)
    return {door.state: door.pk for door in Door.objects.all()}


def test_a_declaration_is_read() -> None:
    assert sources_of(Door, "open") == ["ajar", "shut"]
    assert target_of(Door, "open") == "open"


class TestMove:
    def test_moves_those_that_may_and_tells_which(self, doors: dict[str, int]) -> None:
        moved = move(Door, "open", doors.values(), by="me")

        assert moved == sorted([doors["shut"], doors["ajar"]])
        found = set(Door.objects.values_list("state", "by"))
        assert found == {("open", "me"), ("open", ""), ("gone", "")}

    def test_moves_only_those_that_are_named(self, doors: dict[str, int]) -> None:
        assert move(Door, "open", [doors["shut"]]) == [doors["shut"]]
        assert Door.objects.filter(state="ajar").exists()

    def test_a_second_time_moves_nothing(self, doors: dict[str, int]) -> None:
        move(Door, "open", doors.values())

        assert move(Door, "open", doors.values()) == []

    def test_nobody_is_nobody(self, doors: dict[str, int], django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert move(Door, "open", []) == []


@pytest.mark.django_db
class TestSql:
    def test_lists_are_arrays(self) -> None:
        assert rows("SELECT * FROM unnest(%(n)s::int[])", {"n": [3, 1]}) == [(3,), (1,)]
        assert rows("SELECT * FROM unnest(%(n)s::int[])", {"n": []}) == []

    def test_records_have_names(self) -> None:
        assert records("SELECT 1 AS one, 'b' AS two") == [{"one": 1, "two": "b"}]

    def test_run_counts(self) -> None:
        run("CREATE TEMP TABLE t (n int) ON COMMIT DROP")
        assert run("INSERT INTO t SELECT generate_series(1, 3)") == 3
        assert run("DELETE FROM t WHERE n > %s", [1]) == 2
