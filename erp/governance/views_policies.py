"""The pages of policies: tables, the editor, replays, who differs from everybody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Entity
from erp.governance import permissions
from erp.governance.api.shown import document_of
from erp.governance.documents import Named
from erp.governance.models import Policy, PolicyReplay, PolicyReplayChange, PolicyVersion
from erp.governance.rules.documents import BadDocument, from_yaml
from erp.governance.rules.editing import after, fields_of, table_from
from erp.governance.selectors import (
    differences,
    drift,
    last_replay,
    lint_of,
    named_changes,
    policies,
    policy_page,
    replay_changes,
    replay_page,
    versions_within,
)
from erp.governance.services import (
    activate_version,
    ask_replay,
    edit_version,
    retire_version,
    submit_version,
    write_version,
)
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest

CHANGES_SHOWN = 100
NUMBER_MAX = 2**31 - 1
DAYS = {"30": 30, "90": 90, "365": 365}


@require_GET
@requires(permissions.VIEW_POLICY)
def policy_list(request: SignedInRequest) -> HttpResponse:
    """Show every policy and the version that decides."""
    return render(request, "governance/policies.html", {"rows": policies(now=timezone.now())})


@require_GET
@requires(permissions.VIEW_POLICY)
def drift_report(request: SignedInRequest) -> HttpResponse:
    """Show which entities and nodes decide otherwise than everybody, and how."""
    found = drift(entity_ids=request.scope(permissions.VIEW_POLICY), now=timezone.now())
    return render(request, "governance/policy_drift.html", {"rows": found})


@require_GET
@requires(permissions.VIEW_POLICY)
def policy(request: SignedInRequest, code: str) -> HttpResponse:
    """Show a policy as a table: the version in force unless `?version=` names another.

    `?against=` shows what differs from that version, row by row.
    """
    scope, now = request.scope(permissions.VIEW_POLICY), timezone.now()
    number = _number(request.GET.get("version", ""))
    page = policy_page(code=code, entity_ids=scope, now=now, number=number)
    if page is None:
        raise Http404
    other = _number(request.GET.get("against", ""))
    base = None if other is None else versions_within(scope).filter(
        policy__code=code, number=other
    ).first()  # fmt: skip
    may_activate = _may(request, permissions.ACTIVATE_POLICY, page.shown.entity_id)
    may_write = request.user.has_perm(permissions.WRITE_POLICY)
    is_own = page.shown.author_id == request.user.pk
    errors = [problem for problem in page.problems if problem.level == "error"]
    replayed = last_replay(version_id=page.shown.id, entity_ids=scope)
    context = {
        "page": page,
        "errors": errors,
        "warnings": [problem for problem in page.problems if problem.level != "error"],
        "is_own": is_own,
        "may_write": may_write,
        "may_edit": may_write and is_own and page.shown.state == "draft",
        "may_activate": may_activate
        and page.shown.state in {"draft", "reviewed"}
        and not is_own
        and not errors,
        "may_retire": may_activate and page.shown.state == "active" and not is_own,
        "entities": Entity.objects.within(request.user.entity_ids(permissions.WRITE_POLICY)),
        "may_write_for_all": _may(request, permissions.WRITE_POLICY, None),
        "against": base.number if base else None,
        "differences": differences(base.table, page.table) if base else None,
        "replay": replay_page(replayed) if replayed else None,
        "changes": _changes_of(replayed) if replayed else (),
        "limits": _limits_in_words(page.limits),
    }
    return render(request, "governance/policy.html", context)


@require_POST
@requires(permissions.WRITE_POLICY)
def new_draft(request: SignedInRequest, code: str) -> HttpResponse:
    """Copy a version into a draft of one's own, for all entities, one, or one of its nodes."""
    scope = request.scope(permissions.VIEW_POLICY)
    number = _number(request.POST.get("version", "")) or 0
    base = versions_within(scope).filter(policy__code=code, number=number).first()
    if base is None:
        raise Http404
    entity_id = _entity_id(request, request.POST.get("entity", ""))
    node = request.POST.get("node", "").replace("\0", "").strip()[:20]
    version = write_version(
        policy=code,
        entity_id=entity_id,
        node=node if entity_id else "",
        table=base.table,
        author=request.user,
        note=_("Copied from v{number}").format(number=base.number),
        now=timezone.now(),
    )
    return redirect("governance:policy_edit", code, version.number)


@require_POST
@requires(permissions.WRITE_POLICY)
def import_draft(request: SignedInRequest, code: str) -> HttpResponse:
    """Write a draft from a YAML document, for whom the document says."""
    sent = request.FILES.get("file")
    try:
        text = sent.read().decode() if sent else request.POST.get("yaml", "")
        read = from_yaml(text)
        if read["policy"] not in {"", code}:
            raise BadDocument(_("The document is another policy's."))  # noqa: TRY301
    except (BadDocument, UnicodeDecodeError) as error:
        messages.error(request, str(error))
        return redirect("governance:policy", code)
    entity_id = _entity_id(request, read["entity"])
    version = write_version(
        policy=code,
        entity_id=entity_id,
        node=read["node"] if entity_id else "",
        table=read["table"],
        note=read["note"],
        valid_from=read["valid_from"],
        valid_until=read["valid_until"],
        author=request.user,
        now=timezone.now(),
    )
    return redirect("governance:policy_edit", code, version.number)


@require_GET
@requires(permissions.WRITE_POLICY)
def edit(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Show a draft of one's own as a form."""
    version = _version(request, code, number, permissions.WRITE_POLICY)
    if version.state != PolicyVersion.State.DRAFT or version.author_id != request.user.pk:
        return redirect(f"/governance/policies/{code}/?version={number}")
    context = _form(request, version, version.table)
    return render(request, "governance/policy_edit.html", context)


@require_POST
@requires(permissions.WRITE_POLICY)
def rows(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Answer the form's rows after one of its buttons was pressed; nothing is kept yet."""
    version = _version(request, code, number, permissions.WRITE_POLICY)
    table = _typed_table(request, version.policy)
    table, focus = after(table, request.POST.get("op", ""), version.policy.schema)
    context = {**_form(request, version, table), "focus": focus, "op": _verb(request)}
    return render(request, "governance/_policy_rows.html", context)


@require_POST
@requires(permissions.WRITE_POLICY)
def lint(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Answer what is wrong with the table as it stands in the form."""
    version = _version(request, code, number, permissions.WRITE_POLICY)
    context = _form(request, version, _typed_table(request, version.policy))
    return render(request, "governance/_policy_lint.html", context)


@require_POST
@requires(permissions.WRITE_POLICY)
def save(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Keep what the form says; with `then=submit`, hand it to whoever puts it into force."""
    version = _version(request, code, number, permissions.WRITE_POLICY)
    edit_version(
        version_id=version.pk,
        table=_typed_table(request, version.policy),
        note=request.POST.get("note", "").replace("\0", ""),
        valid_from=_moment(request, "valid_from"),
        valid_until=_moment(request, "valid_until"),
        actor=request.user,
        now=timezone.now(),
    )
    if request.POST.get("then") == "submit":
        submit_version(version_id=version.pk, actor=request.user, now=timezone.now())
        messages.success(request, _("Submitted: somebody else puts it into force."))
        return redirect(f"/governance/policies/{code}/?version={number}")
    messages.success(request, _("The draft was saved."))
    return redirect("governance:policy_edit", code, number)


@require_POST
@requires(permissions.WRITE_POLICY)
def submit(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Hand a draft to whoever puts it into force."""
    version = _version(request, code, number, permissions.WRITE_POLICY)
    submit_version(version_id=version.pk, actor=request.user, now=timezone.now())
    messages.success(request, _("Submitted: somebody else puts it into force."))
    return redirect(f"/governance/policies/{code}/?version={number}")


@require_POST
@requires(permissions.ACTIVATE_POLICY)
def activate(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Put a version into force that somebody else wrote, at the dates it proposes."""
    version = _version(request, code, number, permissions.ACTIVATE_POLICY)
    now = timezone.now()
    done = activate_version(version_id=version.pk, actor=request.user, now=now)
    is_later = done.valid_from is not None and done.valid_from > now
    said = _("{policy} v{number} decides from its date on.") if is_later else _(
        "{policy} v{number} decides from now on."
    )  # fmt: skip
    messages.success(request, said.format(policy=code, number=number))
    return redirect("governance:policy", code)


@require_POST
@requires(permissions.ACTIVATE_POLICY)
def retire(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Take a version out of force that somebody else wrote, or call it off."""
    version = _version(request, code, number, permissions.ACTIVATE_POLICY)
    retire_version(version_id=version.pk, actor=request.user, now=timezone.now())
    messages.success(request, _("v{number} decides no more.").format(number=number))
    return redirect("governance:policy", code)


@require_POST
@requires(permissions.VIEW_POLICY)
def replay(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Have a version replayed over the last days."""
    scope = request.scope(permissions.VIEW_POLICY)
    version = _seen(request, code, number)
    ask_replay(
        version_id=version.pk,
        entity_ids=scope,
        days=DAYS.get(request.POST.get("days", ""), 90),
        actor=request.user,
        now=timezone.now(),
    )
    return redirect(f"/governance/policies/{code}/?version={number}")


@require_GET
@requires(permissions.VIEW_POLICY)
def results(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Answer how far the newest replay of a version is, and what it changes so far."""
    version = _seen(request, code, number)
    found = last_replay(version_id=version.pk, entity_ids=request.scope(permissions.VIEW_POLICY))
    if found is None:
        raise Http404
    context = {
        "replay": replay_page(found),
        "changes": _changes_of(found),
        "code": code,
        "number": number,
    }
    return render(request, "governance/_policy_replay.html", context)


@require_GET
@requires(permissions.VIEW_POLICY)
def export(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Send a version as a YAML file."""
    version = _seen(request, code, number)
    answer = HttpResponse(document_of(version), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{code}.v{number}.yaml"'
    return answer


def _changes_of(found: PolicyReplay) -> Sequence[tuple[PolicyReplayChange, Named]]:
    return named_changes(replay_changes(found).order_by("-amount", "-id")[:CHANGES_SHOWN])


def _form(
    request: SignedInRequest, version: PolicyVersion, table: dict[str, Any]
) -> dict[str, Any]:
    schema = version.policy.schema
    checked = lint_of(
        policy=version.policy,
        table=table,
        scope=(version.entity_id, version.node),
        entity_ids=request.scope(permissions.VIEW_POLICY),
        now=timezone.now(),
    )
    return {
        "version": version,
        "policy": version.policy,
        "hit": table["hit"],
        "rows": fields_of(table, schema),
        "facts": list(schema.fields),
        "outcomes": list(schema.outcomes),
        "lint": checked,
        "faulty": {problem.row for problem in checked.problems if problem.level == "error"},
        "zone": str(timezone.get_current_timezone()),
    }


def _typed_table(request: SignedInRequest, policy: Policy) -> dict[str, Any]:
    def get(name: str) -> str:
        return str(request.POST.get(name, ""))

    return table_from(get, request.POST.getlist, policy.schema)


def _verb(request: SignedInRequest) -> str:
    return str(request.POST.get("op", "")).partition(":")[0]


def _moment(request: SignedInRequest, name: str) -> datetime | None:
    """Read a moment as the person's zone has it; what is none is left out."""
    try:
        found = parse_datetime(request.POST.get(name, ""))
    except ValueError:
        found = None
    if found is None:
        return None
    zone = ZoneInfo(str(timezone.get_current_timezone()))
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004


def _entity_id(request: SignedInRequest, code: str) -> int | None:
    """Return the entity to write for; for all only where the person may write for all."""
    if not code:
        if not _may(request, permissions.WRITE_POLICY, None):
            raise Http404
        return None
    within = request.user.entity_ids(permissions.WRITE_POLICY)
    entity = Entity.objects.within(within).filter(code=code.replace("\0", "")).first()
    if entity is None:
        raise Http404
    return int(entity.pk)


def _may(request: SignedInRequest, permission: str, entity_id: int | None) -> bool:
    held = request.user.entity_ids(permission)
    if entity_id is None:
        return bool(held) and not held < request.user.every_entity
    return entity_id in held


def _seen(request: SignedInRequest, code: str, number: int) -> PolicyVersion:
    found = versions_within(request.scope(permissions.VIEW_POLICY))
    version = found.filter(
        policy__code=code.replace("\0", ""), number=min(number, 2**31 - 1)
    ).first()
    if version is None:
        raise Http404
    return version


def _version(request: SignedInRequest, code: str, number: int, permission: str) -> PolicyVersion:
    """Return a version on which the person may act: everybody's only if they may everywhere."""
    found = versions_within(request.scope(permission))
    version = found.filter(
        policy__code=code.replace("\0", ""), number=min(number, 2**31 - 1)
    ).first()
    if version is None or not _may(request, permission, version.entity_id):
        raise Http404
    return version


def _limits_in_words(limits: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = []
    for name, limit in limits.get("outcomes", {}).items():
        if limit == "locked":
            said.append((name, _("locked")))
        elif "values" in limit:
            said.append((name, ", ".join(value or "“”" for value in limit["values"])))
        else:
            low, high = limit.get("min", "…"), limit.get("max", "…")
            said.append((name, f"{low} to {high}"))
    return said
