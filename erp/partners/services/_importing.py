"""From a file to rows of ours: check, load in steps that can be resumed, undo."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import Entity, User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish
from erp.partners.events import ImportSettled
from erp.partners.models import ImportFile, ImportIssue, ImportJob
from erp.partners.rules.columns import KINDS
from erp.partners.rules.profiles import BadProfile, load_profile
from erp.partners.rules.reading import FILE_MAX_BYTES, UnreadableFile
from erp.partners.selectors import read_import
from erp.partners.services._loading import Plan

ISSUES_KEPT = 2_000
STALE_AFTER = timedelta(seconds=20)
CLAIM = """
    UPDATE partners_importjob SET heartbeat_at = %(now)s
    WHERE id = (
        SELECT id FROM partners_importjob
        WHERE state = 'running' AND (rows_done = 0 AND step = 0 AND heartbeat_at = started_at
                                     OR heartbeat_at < %(stale)s)
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""


class UnknownImport(DomainError):
    """There is no such kind of import or profile."""

    code: ClassVar[str] = "unknown_import"


class FilesMissing(DomainError):
    """The profile needs files that were not sent, or a file is too large."""

    code: ClassVar[str] = "files_missing"


class NothingToLoad(DomainError):
    """No row of the files could be loaded."""

    code: ClassVar[str] = "nothing_to_load"


@transaction.atomic
def receive_files(
    *,
    entity: Entity,
    files: Mapping[str, bytes],
    actor: User | None,
    now: datetime,
    kind: str = "",
    profile: str = "",
) -> ImportJob:
    """Keep the files of an import as they came; nothing is loaded yet.

    Raises:
        UnknownImport: neither the kind nor the profile is one of ours.
        FilesMissing: the profile's files are not all there, or one is larger than 64 MB.
    """
    if profile:
        try:
            needed = load_profile(profile).files
        except BadProfile as error:
            raise UnknownImport(str(error)) from error
        missing = [name for name in needed if name not in files]
        if missing:
            raise FilesMissing(f"The profile also needs {', '.join(missing)}.")
        files = {name: files[name] for name in needed}
    elif kind not in KINDS:
        raise UnknownImport(f"kind: “{kind}” cannot be imported.")
    elif len(files) != 1:
        raise FilesMissing("file: send exactly one file.")
    for name, content in files.items():
        if len(content) > FILE_MAX_BYTES:
            raise FilesMissing(f"{name} is larger than {FILE_MAX_BYTES // 2**20} MB.")
    job = ImportJob.objects.create(
        entity=entity, kind=kind, profile=profile, created_at=now, created_by=actor
    )
    ImportFile.objects.bulk_create(
        ImportFile(job=job, name=name[:200], content=content) for name, content in files.items()
    )
    _record(job, "partners.receive_files", actor, now)
    return job


@transaction.atomic
def check_import(*, job_id: int, now: datetime) -> ImportJob:
    """Read all files and say which rows could be loaded: a dry run that changes nothing of ours.

    Checking again replaces the issues found before. A file that cannot be read fails the import.

    Raises:
        ImportJob.DoesNotExist: there is no such import.
        TransitionNotAllowed: it is running or over.

    Publishes:
        ImportSettled
    """
    job = ImportJob.objects.lock(job_id)
    try:
        checked = read_import(job=job)
    except (BadProfile, UnreadableFile) as error:
        job.fail(at=now, message=str(error)[:500])
        job.save(update_fields=["state", "finished_at", "message"])
        _publish(job)
        return job
    job.check_passed(total=checked.rows, wrong=checked.rows - checked.loadable)
    job.save(update_fields=["state", "rows_total", "rows_wrong"])
    job.issues.all().delete()
    ImportIssue.objects.bulk_create(
        ImportIssue(job=job, file=i.file, row=i.row, column=i.column, message=i.message[:400])
        for i in checked.issues[:ISSUES_KEPT]
    )
    _publish(job)
    return job


@transaction.atomic
def start_import(*, job_id: int, actor: User | None, now: datetime) -> ImportJob:
    """Let a checked import run: a worker takes it up. Rows that are wrong are left out.

    Raises:
        ImportJob.DoesNotExist: there is no such import.
        TransitionNotAllowed: it was not checked, or runs already.
        NothingToLoad: every row is wrong.
    """
    job = ImportJob.objects.lock(job_id)
    if job.rows_total == job.rows_wrong:
        raise NothingToLoad("No row of the file can be loaded; see the list of what is wrong.")
    job.start(at=now)
    job.save(update_fields=["state", "started_at", "heartbeat_at"])
    _record(job, "partners.start_import", actor, now)
    return job


@transaction.atomic
def claim_import(*, now: datetime) -> int | None:
    """Take one running import that nobody advances: just started, or left by a dead worker."""
    found = rows(CLAIM, {"now": now, "stale": now - STALE_AFTER})
    return int(found[0][0]) if found else None


@transaction.atomic
def advance_import(*, job_id: int, plan: Plan, now: datetime) -> bool:
    """Load the next piece of a running import and say whether more is left.

    A piece and the mark of how far it went commit together, so that a killed worker repeats
    nothing and leaves nothing out. Locks the import.

    Raises:
        ImportJob.DoesNotExist: there is no such import.

    Publishes:
        ImportSettled
    """
    job = ImportJob.objects.lock(job_id)
    if job.state != ImportJob.State.RUNNING:
        return False
    try:
        with transaction.atomic():
            plan.advance(job, now)
    except DomainError as refusal:
        job.fail(at=now, message=f"Stopped at row {job.rows_done + 1}: {refusal}"[:500])
        job.save(update_fields=["state", "finished_at", "message"])
        _publish(job)
        return False
    job.heartbeat_at = now
    if plan.is_done(job):
        job.finish(at=now)
        _record(job, "partners.finish_import", None, now)
        _publish(job)
    job.save()
    return not plan.is_done(job)


def _publish(job: ImportJob) -> None:
    publish(
        ImportSettled(
            job_id=job.pk,
            entity_id=job.entity_id,
            state=str(job.state),
            wrong=job.rows_wrong,
        )
    )


def _record(job: ImportJob, action: str, actor: User | None, now: datetime) -> None:
    record(
        changes=[
            Change(
                entity_id=job.entity_id,
                action=action,
                subject_kind="partners.import",
                subject_id=job.pk,
                thread=f"partners.import:{job.pk}",
                after={
                    "what": job.profile or job.kind,
                    "rows": job.rows_total,
                    "loaded": job.rows_done,
                    "wrong": job.rows_wrong,
                },
            )
        ],
        actor=actor,
        now=now,
    )
