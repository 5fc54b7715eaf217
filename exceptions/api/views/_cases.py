"""The resource of exceptions."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import User
from erp.api.filters import (
    ChoiceFilter,
    DateFilter,
    Filter,
    FlagFilter,
    IdFilter,
    MomentFilter,
    TextFilter,
    query_values,
)
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet, one_by_one
from exceptions import permissions, selectors
from exceptions.api import serializers
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.rules.plays import unbarred
from exceptions.services import (
    acknowledge,
    assign,
    comment,
    dismiss,
    go_on,
    merge,
    reopen,
    run_play,
    snooze,
    take,
    undo_play,
    unmerge,
    wait,
    watch,
)

ANALYTICS: dict[str, Filter] = {
    "from": DateFilter(),
    "to": DateFilter(),
    "by": TextFilter(),
}
STATES = tuple(ExceptionCase.State.values)
BIGGEST_ID = 2**63 - 1


class ExceptionViewSet(ResourceViewSet):
    """Cases open and clear by themselves; here they are read, worked and ended."""

    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,19}"
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        "plays": permissions.VIEW,
        "timeline": permissions.VIEW,
        "requests": permissions.VIEW,
        "automation": permissions.VIEW,
        "children": permissions.VIEW,
        "take": permissions.WORK,
        "assign": permissions.WORK,
        "acknowledge": permissions.WORK,
        "comment": permissions.WORK,
        "reopen": permissions.WORK,
        "run": permissions.WORK,
        "undo": permissions.WORK,
        "wait": permissions.WORK,
        "go_on": permissions.WORK,
        "snooze": permissions.WORK,
        "merge": permissions.WORK,
        "unmerge": permissions.WORK,
        "many": permissions.WORK,
        "watch": permissions.VIEW,
        "analytics": permissions.VIEW,
        "dismiss": permissions.DISMISS,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=STATES),
        "live": FlagFilter(
            apply=lambda rows, live: (
                rows.filter(state__in=ExceptionCase.LIVE)
                if live
                else rows.exclude(state__in=ExceptionCase.LIVE)
            )
        ),
        "type": TextFilter("type"),
        "severity": IdFilter("severity"),
        "queue": TextFilter("queue"),
        "owner": TextFilter("owner__username"),
        "order": TextFilter("order__number"),
        "tier": TextFilter("tier"),
        "opened_after": MomentFilter("opened_at__gte"),
        "resolve_before": MomentFilter("resolve_by__lt"),
    }
    ordering_fields = ("id", "severity", "rank", "expected_loss", "resolve_by", "opened_at")
    inputs: ClassVar = {
        "take": serializers.NothingInput,
        "acknowledge": serializers.NothingInput,
        "reopen": serializers.NothingInput,
        "assign": serializers.AssignInput,
        "comment": serializers.CommentInput,
        "dismiss": serializers.ReasonInput,
        "run": serializers.RunInput,
        "undo": serializers.UndoInput,
        "wait": serializers.WaitInput,
        "go_on": serializers.NothingInput,
        "snooze": serializers.SnoozeInput,
        "watch": serializers.WatchInput,
        "merge": serializers.MergeInput,
        "unmerge": serializers.NothingInput,
    }
    outputs: ClassVar = {
        "list": serializers.CaseOutput,
        "retrieve": serializers.CaseOutput,
        "take": serializers.CaseOutput,
        "acknowledge": serializers.CaseOutput,
        "assign": serializers.CaseOutput,
        "dismiss": serializers.CaseOutput,
        "reopen": serializers.CaseOutput,
        "wait": serializers.CaseOutput,
        "go_on": serializers.CaseOutput,
        "snooze": serializers.CaseOutput,
        "watch": serializers.CaseOutput,
        "merge": serializers.CaseOutput,
        "unmerge": serializers.CaseOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(selectors.cases_within(self.scope()), self._rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(serializers.shown(self._case(pk)))

    @action(detail=True, methods=["post"])
    def take(self, request: Request, pk: str) -> Response:
        """Make the caller its owner, who is on it."""
        self.body()
        take(case_id=self._case(pk).pk, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that its owner has seen it and is on it."""
        self.body()
        acknowledge(case_id=self._case(pk).pk, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Hand it to a person, or back to a queue."""
        case, body = self._case(pk), self.body()
        assign(
            case_id=case.pk,
            to=self._person(body.get("owner")),
            queue=body.get("queue", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str) -> Response:
        """Write something on it."""
        case, body = self._case(pk), self.body()
        written = comment(
            case_id=case.pk, text=body["text"], actor=actor_of(request), now=timezone.now()
        )
        return Response(
            {"id": written.pk, "at": written.at, "author": written.author.username,
             "text": written.text},
            status=201,
        )  # fmt: skip

    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """Decide that it does not matter, and why."""
        case, body = self._case(pk), self.body()
        dismiss(case_id=case.pk, reason=body["reason"], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take it up again: its condition holds."""
        self.body()
        reopen(case_id=self._case(pk).pk, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["get"])
    def plays(self, request: Request, pk: str) -> Response:
        """Return the ways out at this moment, best first, with what each costs and who loses."""
        found = selectors.plays_of(self._case(pk), user=actor_of(request), now=timezone.now())
        return Response([serializers.shown_play(play) for play in found])

    @action(detail=True, methods=["post"], url_path=r"plays/(?P<key>[\w.-]{1,60})/run")
    def run(self, request: Request, pk: str, key: str) -> Response:
        """Run one way out, whole or not at all."""
        case, body = self._case(pk), self.body()
        run = run_play(
            case_id=case.pk,
            key=key,
            actor=actor_of(request),
            now=timezone.now(),
            quoted=body.get("quoted"),
        )
        return Response(
            {
                "key": run.key,
                "outcome": run.outcome,
                "waits_for_approval": isinstance(run, PlayRequest),
                "chosen": run.chosen,
                "alternatives": run.alternatives,
                "case": serializers.shown(self._case(pk)),
            }
        )

    @action(detail=True, methods=["post"], url_path=r"plays/(?P<key>[\w.-]{1,60})/undo")
    def undo(self, request: Request, pk: str, key: str) -> Response:
        """Undo the last run of one way out, whole or not at all."""
        case, body = self._case(pk), self.body()
        run = undo_play(
            case_id=case.pk,
            key=key,
            reason=body["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(
            {
                "key": run.key,
                "outcome": run.outcome,
                "undone_at": run.undone_at,
                "undo_reason": run.undo_reason,
                "case": serializers.shown(self._case(pk)),
            }
        )

    @action(detail=True, methods=["get"])
    def requests(self, request: Request, pk: str) -> Response:
        """Return the ways out that were asked for, what waits first, with who may agree."""
        found = selectors.play_requests(
            case_id=self._case(pk).pk, user=actor_of(request), now=timezone.now()
        )
        return Response([serializers.shown_request(one) for one in found])

    @action(detail=True, methods=["get"])
    def automation(self, request: Request, pk: str) -> Response:
        """Return what the house would do by itself: auto, recommend or human, and why."""
        case, now = self._case(pk), timezone.now()
        offered = selectors.plays_of(case, user=actor_of(request), now=now)
        return Response(serializers.shown_automation(
            selectors.automation_of(case, unbarred(offered), now=now)
        ))  # fmt: skip

    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, pk: str) -> Response:
        """Return what happened to it and to its order, the newest first."""
        told = selectors.case_timeline(self._case(pk), entity_ids=self.scope())
        return Response([serializers.shown_entry(row) for row in told])

    @action(detail=True, methods=["get"])
    def children(self, request: Request, pk: str) -> Response:
        """Return the cases that hang under it, by one cause."""
        found = selectors.cases_within(self.scope()).filter(parent=self._case(pk))
        return Response(self._rows(found.order_by("id")[:500]))

    @action(detail=True, methods=["post"])
    def wait(self, request: Request, pk: str) -> Response:
        """Let it wait on somebody outside until we ask again."""
        case, body = self._case(pk), self.body()
        wait(
            case_id=case.pk,
            on=body["on"],
            until=body["until"],
            reason=body["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"], url_path="go-on")
    def go_on(self, request: Request, pk: str) -> Response:
        """Take it up again: it has waited long enough."""
        self.body()
        go_on(case_id=self._case(pk).pk, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Take it out of its owner's sight for a while; its clocks run on."""
        case, body = self._case(pk), self.body()
        snooze(case_id=case.pk, until=body["until"], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def watch(self, request: Request, pk: str) -> Response:
        """Be told what happens to it, or no more."""
        case, body = self._case(pk), self.body()
        watch(case_id=case.pk, actor=actor_of(request), now=timezone.now(), is_on=body["watching"])
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Hang other cases under this one: they have one cause."""
        case, body = self._case(pk), self.body()
        others = [self._case(str(one)).pk for one in body["cases"]]
        merge(
            case_ids=others,
            into_id=case.pk,
            reason=body.get("reason", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def unmerge(self, request: Request, pk: str) -> Response:
        """Let it stand for itself again."""
        self.body()
        unmerge(case_id=self._case(pk).pk, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, pk)

    @action(detail=False, methods=["get"])
    def analytics(self, request: Request) -> Response:
        """Return how cases opened in `from`..`to` (dates, UTC) were handled, grouped `by`."""
        asked = query_values(request, ANALYTICS)
        now = timezone.now()
        until = asked.get("to", now.date()) + timedelta(days=1)
        since = asked.get("from", until - timedelta(days=90))
        try:
            found = selectors.analytics(
                entity_ids=self.scope(),
                since=datetime.combine(since, time(), UTC),
                until=datetime.combine(until, time(), UTC),
                now=now,
                by=asked.get("by", "type"),
            )
        except ValueError as refusal:
            named = "from" if asked.get("by", "type") in selectors.DIMENSIONS else "by"
            raise ValidationError({named: [ErrorDetail(str(refusal), "invalid")]}) from refusal
        return Response(serializers.analysed(found))

    @action(detail=False, methods=["post"], url_path="bulk", url_name="bulk")
    def many(self, request: Request) -> Response:
        """Take, acknowledge, hand over or dismiss many; each answers for itself."""
        return self.bulk(serializers.BulkInput, one_by_one(self._act))

    def _act(self, body: dict[str, Any]) -> dict[str, Any]:
        who, now = actor_of(self.request), timezone.now()
        case = self._case(str(body["id"]))
        if body["act"] == "dismiss":
            if not who.has_perm(permissions.DISMISS, case.entity_id):
                raise PermissionDenied
            dismiss(case_id=case.pk, reason=body.get("reason", ""), actor=who, now=now)
        elif body["act"] == "assign":
            person = self._person(body.get("owner"))
            queue = body.get("queue", "")
            assign(case_id=case.pk, to=person, queue=queue, actor=who, now=now)
        else:
            act = take if body["act"] == "take" else acknowledge
            act(case_id=case.pk, actor=who, now=now)
        return {"status": 200, **serializers.shown(self._case(str(case.pk)))}

    def _person(self, name: str | None) -> User | None:
        person = User.objects.filter(username=name, is_active=True).first() if name else None
        if name and person is None:
            raise ValidationError({"owner": [ErrorDetail("There is no such person.", "unknown")]})
        return person

    def _case(self, pk: str) -> ExceptionCase:
        found = None
        if int(pk) <= BIGGEST_ID:
            found = selectors.find_case(case_id=int(pk), entity_ids=self.scope())
        if found is None:
            raise NotFound("There is no such case.")
        return found

    def _rows(self, cases: Iterable[ExceptionCase]) -> Sequence[dict[str, Any]]:
        return [serializers.shown(case) for case in cases]
