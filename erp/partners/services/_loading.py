"""Takes an import one piece further, and remembers what it touched."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from erp.kernel.sql import rows, run
from erp.partners.models import ImportJob
from erp.partners.rules.checking import Checked, Loadable
from erp.partners.services._history import OrderLoader
from erp.partners.services._masters import TOUCHES, Load, Touches, load_masters

PIECE = 2_000
TRACK = """
    INSERT INTO partners_importeffect (job_id, model, object_id, before)
    SELECT %(job)s, %(model)s, id, before
    FROM unnest(%(ids)s::bigint[], %(befores)s::jsonb[]) AS t(id, before)
    ON CONFLICT (job_id, model, object_id) DO NOTHING
"""


class Plan:
    """The pieces of one import, in order: 2,000 master rows each, or one day of orders."""

    def __init__(self, checked: Checked) -> None:
        self.steps = checked.steps
        self.loaders: dict[int, OrderLoader] = {}

    def is_done(self, job: ImportJob) -> bool:
        return job.step >= len(self.steps)

    def advance(self, job: ImportJob, now: datetime) -> None:
        """Load the piece at which `job` stands and move the job past it; the caller saves it."""
        step, loadable = self.steps[job.step]
        if step.kind == "orders":
            last = self._orders(job, loadable, now)
        else:
            last = self._masters(job, step.kind, loadable, now)
        if last:
            job.step, job.position = job.step + 1, 0

    def _masters(
        self, job: ImportJob, kind: str, loadable: Sequence[Loadable], now: datetime
    ) -> bool:
        piece = loadable[job.position : job.position + PIECE]
        before = [(touched, _found(touched, piece, job)) for touched in TOUCHES[kind]]
        if piece:
            load = Load(job.entity, f"import {job.pk}", job.created_by, now)
            load_masters(kind, piece, load)
        for number, (touched, known) in enumerate(before):
            after = _found(touched, piece, job)
            changed = {i: known.get(i) for i, row in after.items() if known.get(i) != row}
            _track(job, touched.model, changed)
            if number == 0:
                job.created_count += sum(old is None for old in changed.values())
                job.updated_count += sum(old is not None for old in changed.values())
        job.position += len(piece)
        job.rows_done += len(piece)
        return job.position >= len(loadable)

    def _orders(self, job: ImportJob, loadable: Sequence[Loadable], now: datetime) -> bool:
        if job.step not in self.loaders:
            self.loaders[job.step] = OrderLoader(loadable, job.entity, job.created_by)
        loader = self.loaders[job.step]
        if loader.days:
            loaded, made, ids = loader.run(loader.days[job.position], now)
            _track(job, "orders.Order", dict.fromkeys(ids))
            job.rows_done += loaded
            job.created_count += made
        job.position += 1
        return job.position >= len(loader.days)


def _found(touched: Touches, piece: Sequence[Loadable], job: ImportJob) -> dict[int, Any]:
    codes = sorted({str(row.values[touched.codes]) for row in piece})
    found = rows(touched.statement, {"codes": codes, "entity": job.entity_id})
    return dict(found)


def _track(job: ImportJob, model: str, changed: dict[int, Any]) -> None:
    if changed:
        run(
            TRACK,
            {
                "job": job.pk,
                "model": model,
                "ids": list(changed),
                "befores": [None if old is None else json.dumps(old) for old in changed.values()],
            },
        )
