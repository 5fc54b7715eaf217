"""Questions about imports and webhooks. Nothing here writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from erp.kernel.invariants import Invariant
from erp.kernel.sql import rows
from erp.partners.models import ImportFile, ImportIssue, ImportJob, Webhook, WebhookDelivery
from erp.partners.rules.checking import Checked, check_files
from erp.partners.rules.columns import KINDS
from erp.partners.rules.profiles import Profile, load_profile, plain_profile
from erp.partners.rules.reading import read_rows
from exceptions.selectors import CaseType, Exposure, Pace, statement

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

ROW_IS_WORTH = Decimal(25)  # what it costs to mend one row by hand, about what an hour makes of ten
REJECTED_DAYS = 30
# Rows of a file that were left out, or a file that could not be read, until a later one of its kind
# came whole. What was undone, or is older than a month, nobody waits for.
REJECTED = statement(
    """
    SELECT j.id AS subject_id, 'import ' || j.id || ' · ' || coalesce(nullif(j.kind, ''), j.profile)
               AS subject_label,
           j.entity_id, e.currency, NULL::bigint AS order_id, coalesce(u.username, '') AS party,
           j.state, j.rows_wrong, j.rows_total, j.message,
           coalesce(i.message, '') AS first
    FROM partners_importjob j
    JOIN accounts_entity e ON e.id = j.entity_id
    LEFT JOIN accounts_user u ON u.id = j.created_by_id
    LEFT JOIN LATERAL (
        SELECT s.message FROM partners_importissue s WHERE s.job_id = j.id ORDER BY s.row, s.id
        LIMIT 1
    ) i ON true
    WHERE j.state IN ('checked', 'done', 'failed') AND (j.rows_wrong > 0 OR j.state = 'failed')
      AND j.created_at > %(now)s::timestamptz - interval '{days} days' AND {within}
      AND NOT EXISTS (
          SELECT FROM partners_importjob later
          WHERE later.entity_id = j.entity_id AND later.kind = j.kind
            AND later.profile = j.profile AND later.id > j.id AND later.rows_wrong = 0
            AND later.state IN ('checked', 'running', 'done')
      )
""",
    subject="j.id",
    days=str(REJECTED_DAYS),
)
FILE_REJECTED = CaseType(
    code="partners.file_rejected",
    label="File rejected",
    subject_kind="partners.import",
    statement=REJECTED,
    expose=lambda row: Exposure(
        p_miss=Decimal(1),
        revenue=ROW_IS_WORTH * max(1, row["rows_wrong"]),
        currency=row["currency"],
    ),
    describe=lambda row: (
        f"the file was given up: {row['message']}"
        if row["state"] == "failed"
        else f"{row['rows_wrong']} of {row['rows_total']} rows were left out; {row['first']}"
    ),
    facts=("state", "rows_wrong", "rows_total"),
    pace=Pace.CLOCK,
)


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


TELLINGS_MAX = 500


def webhooks_within(entity_ids: Collection[int]) -> QuerySet[Webhook]:
    """Return the webhooks of these entities, with their entity."""
    return Webhook.objects.filter(entity_id__in=entity_ids).select_related("entity")


def webhook(*, webhook_id: int, entity_ids: Collection[int]) -> Webhook | None:
    """Return one webhook of these entities, or None."""
    return webhooks_within(entity_ids).filter(pk=webhook_id).first()


def tellings(
    *, webhook_id: int, ids: Sequence[int] | None = None, since: datetime | None = None
) -> list[WebhookDelivery]:
    """Return what a webhook was told, or is to be, the newest first, at most 500.

    `ids` narrows it to some; `since` to what was given up and was written after that moment.
    """
    found = WebhookDelivery.objects.filter(webhook_id=webhook_id)
    if ids is not None:
        found = found.filter(pk__in=ids)
    if since is not None:
        found = found.filter(state=WebhookDelivery.State.DEAD, created_at__gte=since)
    return list(found.order_by("-pk")[:TELLINGS_MAX])
