import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from erp.governance.selectors import verify_audit


class Command(BaseCommand):
    """Proves the audit trail's chains; names the first broken link and exits 1 on any."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--heads", type=Path, metavar="FILE", help="Heads kept elsewhere, to be found again."
        )
        parser.add_argument(
            "--keep", type=Path, metavar="FILE", help="Where to write the heads for the next time."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = json.loads(options["heads"].read_text()) if options["heads"] else []
        report = verify_audit(heads=kept)
        heads = [asdict(head) for head in report.heads]
        if options["json"]:
            print(json.dumps(asdict(report)))
        else:
            for link in report.broken:
                print(f"broken  {link}")
            for head in report.heads:
                print(f"head    {head.chain:<12} {head.number:>6}  {head.head}")
            said = "whole" if report.is_whole else "BROKEN"
            print(
                f"{said}: {report.sealed} sealed, {report.unsealed} not yet, {report.seals} seals"
            )
        if options["keep"]:
            options["keep"].write_text(json.dumps(heads, indent=1))
        if not report.is_whole:
            raise SystemExit(1)
