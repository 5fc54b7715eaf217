"""Every entry of the timetable names a task that exists."""

from django.conf import settings

from erp.celery import app


def test_every_entry_names_a_task() -> None:
    app.loader.import_default_modules()

    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
