"""exceptions/services/_automating.py"""

from erp.accounts.models import Entity
from erp.governance.models import DecisionRecord
from erp.outbox.models import Delivery
from exceptions.models import ExceptionCase, PlayRun
from exceptions.services import automate, take, undo_play
from tests.exceptions import factories
from tests.exceptions.scenes import SCENES, inbound


class TestAutomate:
    def test_runs_what_is_harmless_and_says_by_which_version(self, entity: Entity) -> None:
        case, _who, now = SCENES["replay"]()

        (run_id,) = automate(case_ids=[case.pk], now=now)

        run = PlayRun.objects.get(pk=run_id)
        assert (run.run_by, run.key) == (None, "replay")
        assert run.policy_version.startswith("exceptions.automation")
        assert ExceptionCase.objects.get(pk=case.pk).state == "resolved"
        assert Delivery.objects.get(pk=case.subject_id).status == "pending"

    def test_leaves_everything_else_to_people(self, entity: Entity) -> None:
        for key in ("other_node", "release", "late_supply", "put_back"):
            case, _who, now = SCENES.get(key, SCENES["accept_late"])()

            assert automate(case_ids=[case.pk], now=now) == []

        assert not PlayRun.objects.exists()
        assert (
            DecisionRecord.objects.filter(version__policy__code="exceptions.automation").count()
            == 4
        )

    def test_leaves_what_somebody_took(self, entity: Entity) -> None:
        case, who, now = SCENES["replay"]()
        take(case_id=case.pk, actor=who, now=now)

        assert automate(case_ids=[case.pk], now=now) == []
        assert not PlayRun.objects.exists()

    def test_does_not_do_again_what_was_undone(self, entity: Entity) -> None:
        case, who, now = in_time()
        (run_id,) = automate(case_ids=[case.pk], now=now)
        undo_play(case_id=case.pk, key="pegged_inbound", reason="No", actor=who, now=now)

        assert automate(case_ids=[case.pk], now=now) == []
        assert PlayRun.objects.get().pk == run_id
        assert PlayRun.objects.get().undone_by == who
        assert ExceptionCase.objects.get(pk=case.pk).state in ExceptionCase.LIVE

    def test_passes_over_what_is_over_or_never_was(self, entity: Entity) -> None:
        case, _who, now = SCENES["replay"]()
        automate(case_ids=[case.pk], now=now)

        assert automate(case_ids=[case.pk, 0], now=now) == []
        assert PlayRun.objects.count() == 1


def in_time() -> tuple:
    """A line whose supply comes before it is due: nothing is lost by saying so."""
    return inbound(requested_date=factories.TODAY.replace(month=12, day=20), quantity=1)
