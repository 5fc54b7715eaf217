import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from erp.insight.selectors import verify_all


class Command(BaseCommand):
    """Re-derives stock, reservations, ledger, outbox and audit; exit 1 on any drift."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = verify_all()
        drift = sum(finding.violations for finding in findings)
        if options["json"]:
            print(json.dumps({"drift": drift, "invariants": [asdict(f) for f in findings]}))
        else:
            for finding in findings:
                print(f"{finding.violations:>8}  {finding.code:<44} {finding.promise}")
                for row in finding.sample:
                    print(f"{'':>10}{row}")
            print(f"{drift:>8}  violations of {len(findings)} invariants")
        if drift:
            raise SystemExit(1)
