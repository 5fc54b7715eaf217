"""`manage.py outbox status|replay`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from erp.outbox.selectors import backlog
from erp.outbox.services import replay_deliveries


class Command(BaseCommand):
    """Shows what waits in the outbox, and has what died tried again."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        status = commands.add_parser("status", help="what waits and what died, by handler")
        status.add_argument("--json", action="store_true")
        replay = commands.add_parser("replay", help="try dead deliveries again")
        replay.add_argument("--id", type=int, action="append", dest="ids", metavar="DELIVERY")
        replay.add_argument("--handler", default="")
        replay.add_argument("--since", type=_moment, help="with offset: 2026-11-22T09:30:00Z")
        replay.add_argument("--all-dead", action="store_true")
        replay.add_argument(
            "--include-done", action="store_true", help="also what --handler did since --since"
        )

    def handle(self, **options: Any) -> None:
        if options["what"] == "status":
            self._show(as_json=options["json"])
            return
        if not (options["ids"] or options["handler"] or options["since"] or options["all_dead"]):
            raise CommandError("Say --id, --handler, --since or --all-dead.")
        try:
            count = replay_deliveries(
                delivery_ids=options["ids"],
                handler=options["handler"],
                since=options["since"],
                include_done=options["include_done"],
            )
        except (ValueError, KeyError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} deliveries will be tried again.")

    def _show(self, *, as_json: bool) -> None:
        lines = backlog()
        if as_json:
            self.stdout.write(json.dumps([asdict(line) for line in lines], default=str))
            return
        for line in lines:
            self.stdout.write(
                f"{line.handler}: {line.pending} pending ({line.failing} failing, "
                f"oldest {line.oldest_at or '-'}), {line.dead} dead"
            )
        if not lines:
            self.stdout.write("Nothing waits.")


def _moment(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise ValueError(text)
    return found
