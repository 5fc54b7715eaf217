import json
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

FOLDER = Path(settings.BASE_DIR) / "tests" / "benchmarks"
Benchmark = Callable[..., dict[str, object]]
TABLE = ("name", "product", "floor", "ratio", "unit", "cpu_ms")


class Command(BaseCommand):
    """Measures the product beside the hand-written floor that does the same durable work.

    Each benchmark runs in a scratch database of its own. With `--json` the last line is one object.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help=", ".join(sorted(found())))
        parser.add_argument("--all", action="store_true", help="every benchmark, as a table")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--lines", type=int)
        parser.add_argument("--orders", type=int)
        parser.add_argument("--seconds", type=float)
        parser.add_argument("--scale", type=float, help="of the demo, where one is measured on")

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(found()) if options["all"] else [options["name"]]
        if not options["all"] and options["name"] not in found():
            raise CommandError(
                f"There is no such benchmark. There are: {', '.join(sorted(found()))}."
            )
        size = {
            k: options[k] for k in ("lines", "orders", "seconds", "scale") if options[k] is not None
        }
        for name in names:
            measured = in_scratch_database(found()[name], size)
            if options["json"]:
                print(json.dumps({"name": name, **measured}, default=str))
            else:
                shown = {"name": name, **measured}
                print("  ".join(f"{column}={shown.get(column)}" for column in TABLE))


def found() -> dict[str, Benchmark]:
    """Return every benchmark by its name: `run`, or what the module's `BENCHMARKS` names."""
    benchmarks: dict[str, Benchmark] = {}
    for path in sorted(FOLDER.glob("*.py")):
        if not path.stem.startswith("_"):
            module = import_module(f"tests.benchmarks.{path.stem}")
            benchmarks |= getattr(module, "BENCHMARKS", None) or {path.stem: module.run}
    return benchmarks


def in_scratch_database(benchmark: Benchmark, size: dict[str, Any]) -> dict[str, object]:
    """Run one benchmark in a database made for it and dropped afterwards."""
    original = str(connection.settings_dict["NAME"])
    connection.settings_dict["TEST"]["NAME"] = f"{original}_bench_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return benchmark(**size)
    finally:
        connection.creation.destroy_test_db(original, verbosity=0)
