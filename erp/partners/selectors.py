"""Questions about imports. Nothing here writes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from erp.kernel.invariants import Invariant
from erp.kernel.sql import rows
from erp.partners.models import ImportFile, ImportIssue, ImportJob
from erp.partners.rules.checking import Checked, check_files
from erp.partners.rules.columns import KINDS
from erp.partners.rules.profiles import Profile, load_profile, plain_profile
from erp.partners.rules.reading import read_rows

ISSUES_SHOWN = 200
CODES = {
    "products": "SELECT code FROM inventory_product",
    "customers": "SELECT code FROM orders_customer",
    "suppliers": "SELECT code FROM procurement_supplier",
    "carriers": "SELECT code FROM inventory_carrier",
    "customer groups": "SELECT code FROM orders_customergroup",
    "price lists": "SELECT code FROM orders_pricelist WHERE entity_id = %(entity)s",
    "nodes": "SELECT code FROM inventory_node WHERE entity_id = %(entity)s",
}
INVARIANTS = [
    Invariant(
        code="partners.import_counts",
        promise="a finished import has loaded every row that it could",
        statement="SELECT id FROM partners_importjob"
        " WHERE state = 'done' AND rows_done + rows_wrong < rows_total",
    ),
]


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import in the list. Moments are UTC."""

    id: int
    what: str
    entity: str
    state: str
    rows_total: int
    rows_done: int
    rows_wrong: int
    created_at: datetime
    created_by: str
    message: str


def import_board(
    *, entity_ids: Collection[int], after: int | None = None, limit: int = 50
) -> list[ImportRow]:
    """Return imports, newest first, below the id `after`. One query."""
    jobs = ImportJob.objects.filter(entity_id__in=entity_ids)
    if after is not None:
        jobs = jobs.filter(pk__lt=after)
    return [
        ImportRow(
            id=job.pk,
            what=job.profile or job.kind,
            entity=job.entity.code,
            state=job.state,
            rows_total=job.rows_total,
            rows_done=job.rows_done,
            rows_wrong=job.rows_wrong,
            created_at=job.created_at,
            created_by=str(job.created_by or "system"),
            message=job.message,
        )
        for job in jobs.select_related("entity", "created_by").order_by("-pk")[:limit]
    ]


def import_job(*, job_id: int, entity_ids: Collection[int]) -> ImportJob | None:
    """Return one import within the entities, or None."""
    jobs = ImportJob.objects.select_related("entity", "created_by")
    return jobs.filter(pk=job_id, entity_id__in=entity_ids).first()


def issues_of(*, job_id: int, limit: int = ISSUES_SHOWN) -> list[ImportIssue]:
    """Return the first issues of an import, in the order of its rows."""
    return list(ImportIssue.objects.filter(job_id=job_id).order_by("file", "row", "pk")[:limit])


def profile_of(job: ImportJob) -> Profile:
    """Return how the files of an import are read."""
    if job.profile:
        return load_profile(job.profile)
    file = job.files.get()
    first = next(read_rows(bytes(file.content), name=file.name), None)
    ours = {column.name for column in KINDS[job.kind]}
    header = [name for name in (first.cells if first else {}) if name in ours]
    return plain_profile(job.kind, file.name, header)


def read_import(*, job: ImportJob) -> Checked:
    """Read and check all files of an import against what exists now.

    Raises:
        BadProfile: a file or a column is missing.
        UnreadableFile: a file is no table.
    """
    files = {
        file.name: list(read_rows(bytes(file.content), name=file.name))
        for file in ImportFile.objects.filter(job=job)
    }
    return check_files(profile_of(job), files, known_codes(entity_id=job.entity_id))


def known_codes(*, entity_id: int) -> dict[str, set[str]]:
    """Return the codes that exist, by kind. One query a kind."""
    return {
        kind: {row[0] for row in rows(statement, {"entity": entity_id})}
        for kind, statement in CODES.items()
    }
