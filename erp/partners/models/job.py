"""An import and its life.

UPLOADED --check--> CHECKED --start--> RUNNING --finish--> DONE --undo--> UNDONE
UPLOADED, CHECKED, RUNNING --fail--> FAILED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def lock(self, job_id: int) -> "ImportJob":
        """Return the import, locked until the transaction ends.

        Raises:
            ImportJob.DoesNotExist: there is no such import.
        """
        return self.select_for_update(of=["self"]).get(pk=job_id)


class ImportJob(FSMModelMixin, models.Model):
    """One load of one or more files into one entity, by a profile or by our own column names.

    `rows_done` counts what is committed; `step` and `position` say where to go on. `kind` is the
    kind of rows, or empty when `profile` names several.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKED = "checked", "Checked"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNDONE = "undone", "Undone"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30, blank=True)
    profile = models.CharField(max_length=60, blank=True)
    state = FSMField(choices=State, default=State.UPLOADED, protected=True)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    rows_wrong = models.PositiveIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=500, blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        permissions = [("run_import", "Can import files")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["uploaded", "checked", "running", "done", "failed", "undone"]
                ),
                name="partners_import_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(kind="") | ~Q(profile=""), name="partners_import_says_what_it_loads"
            ),
        ]
        indexes = [models.Index(fields=["entity", "-id"], name="partners_import_newest")]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @transition(field=state, source=[State.UPLOADED, State.CHECKED], target=State.CHECKED)
    def check_passed(self, *, total: int, wrong: int) -> None:
        self.rows_total, self.rows_wrong = total, wrong

    @transition(field=state, source=State.CHECKED, target=State.RUNNING)
    def start(self, *, at: datetime) -> None:
        self.started_at = self.heartbeat_at = at

    @transition(field=state, source=State.RUNNING, target=State.DONE)
    def finish(self, *, at: datetime) -> None:
        self.finished_at = at

    @transition(
        field=state, source=[State.UPLOADED, State.CHECKED, State.RUNNING], target=State.FAILED
    )
    def fail(self, *, at: datetime, message: str) -> None:
        self.finished_at, self.message = at, message

    @transition(field=state, source=[State.DONE, State.FAILED], target=State.UNDONE)
    def undo(self, *, at: datetime, message: str) -> None:
        self.finished_at, self.message = at, message


class ImportFile(models.Model):
    """One file as it was sent, so that a load can be checked, resumed and explained."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=200)
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "name"], name="partners_file_once_per_import"),
        ]

    def __str__(self) -> str:
        return self.name


class ImportIssue(models.Model):
    """One cell, or one row, that cannot be loaded, with the sentence that says why."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="issues")
    file = models.CharField(max_length=200)
    row = models.PositiveIntegerField()
    column = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=400)

    class Meta:
        indexes = [models.Index(fields=["job", "row"], name="partners_issue_of_import")]

    def __str__(self) -> str:
        return f"{self.file}:{self.row} {self.message}"


class ImportEffect(models.Model):
    """One row of ours that an import created or changed; `before` is what it was, for the undo."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="effects")
    model = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "model", "object_id"], name="partners_effect_once_per_import"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model}:{self.object_id}"
