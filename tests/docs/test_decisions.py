"""docs/adr"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/adr").glob("*.md"))
MENTION = re.compile(r"\bADRs? ?([0-9]{1,4})\b")


def test_no_two_decisions_have_one_number() -> None:
    numbers = [page.name[:4] for page in PAGES]
    assert numbers == sorted(set(numbers))


def test_a_decision_bears_the_number_of_its_file() -> None:
    for page in PAGES:
        assert page.read_text().startswith(f"# {int(page.name[:4])}. "), page.name


def test_every_mentioned_decision_exists() -> None:
    numbers = {int(page.name[:4]) for page in PAGES}
    sources = [
        path
        for suffix in ("*.py", "*.md")
        for folder in ("docs", "erp", "exceptions", "finance", "inventory", "orders", "procurement")
        for path in (ROOT / folder).rglob(suffix)
    ]
    missing = {
        (path.relative_to(ROOT).as_posix(), number)
        for path in sources
        for number in MENTION.findall(path.read_text())
        if int(number) not in numbers
    }

    assert missing == set()
