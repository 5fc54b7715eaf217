from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from erp.accounts.models import Entity
from erp.partners.models import ImportJob
from erp.partners.rules.profiles import load_profile
from erp.partners.selectors import issues_of, read_import
from erp.partners.services import Plan, advance_import, check_import, receive_files, start_import


class Command(BaseCommand):
    """Loads the files of a profile out of a folder, as the imports page would, and counts along."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("profile")
        parser.add_argument("folder", type=Path)
        parser.add_argument("--entity", required=True, help="code of the entity to load into")
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        entity = Entity.objects.filter(code=options["entity"]).first()
        if entity is None:
            raise CommandError(f"There is no entity {options['entity']}.")
        folder = options["folder"]
        names = load_profile(options["profile"]).files
        files = {n: (folder / n).read_bytes() for n in names if (folder / n).is_file()}
        job = receive_files(
            entity=entity, files=files, profile=options["profile"], actor=None, now=timezone.now()
        )
        job = check_import(job_id=job.pk, now=timezone.now())
        print(f"import {job.pk}: {job.rows_total} rows, {job.rows_wrong} wrong {job.message}")
        for issue in issues_of(job_id=job.pk, limit=20):
            print(f"  {issue.file}:{issue.row} {issue.message}")
        if options["dry_run"] or job.state == ImportJob.State.FAILED:
            return
        start_import(job_id=job.pk, actor=None, now=timezone.now())
        plan = Plan(read_import(job=job))
        while advance_import(job_id=job.pk, plan=plan, now=timezone.now()):
            job = ImportJob.objects.get(pk=job.pk)
            print(f"\r{job.rows_done} of {job.rows_total}", end="", flush=True)
        job = ImportJob.objects.get(pk=job.pk)
        print(
            f"\r{job.state}: {job.rows_done} rows loaded, {job.created_count} created {job.message}"
        )
