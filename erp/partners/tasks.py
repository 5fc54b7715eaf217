"""Celery's way into the edge: whoever is awake carries on imports, and tells other systems."""

import time
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from erp.kernel.outside import post_outside
from erp.partners.models import ImportJob
from erp.partners.selectors import read_import
from erp.partners.services import Plan, advance_import, claim_import
from erp.partners.services.telling import claim_tellings, settle_telling

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


@shared_task(expires=60)
def send_tellings(**_later: Any) -> None:
    """Tell other systems what is due, one after the other; what is not taken is due again later."""
    while claimed := claim_tellings(now=timezone.now()):
        for one in claimed:
            reply = post_outside(
                one.url,
                body=one.body,
                headers=one.headers,
                may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE,
            )
            settle_telling(delivery_id=one.delivery_id, reply=reply, now=timezone.now())
