"""Celery's way into imports: whoever is awake takes the next one and carries it on."""

import time
from typing import Any

from celery import shared_task
from django.utils import timezone

from erp.partners.models import ImportJob
from erp.partners.selectors import read_import
from erp.partners.services import Plan, advance_import, claim_import

BUDGET_SECONDS = 150  # below the task's time limit; the next sweep goes on from there


@shared_task
def load_waiting(**_later: Any) -> None:
    """Carry on the next import that runs and that nobody advances, for a while."""
    job_id = claim_import(now=timezone.now())
    if job_id is None:
        return
    job = ImportJob.objects.get(pk=job_id)
    plan = Plan(read_import(job=job))
    until = time.monotonic() + BUDGET_SECONDS
    while advance_import(job_id=job_id, plan=plan, now=timezone.now()):
        if time.monotonic() > until:
            return
