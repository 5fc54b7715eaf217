from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from erp.web.generated import documents


class Command(BaseCommand):
    """Draws docs/events.md and the state diagrams from the code; `--check` only compares."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = []
        for name, text in documents().items():
            path = Path(settings.BASE_DIR) / name
            if path.exists() and path.read_text() == text:
                continue
            stale.append(name)
            if not options["check"]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        print(
            "\n".join(f"{'stale' if options['check'] else 'written'}: {n}" for n in stale)
            or "fresh"
        )
        if stale and options["check"]:
            raise SystemExit(1)
