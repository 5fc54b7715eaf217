"""erp/web/generated.py"""

from pathlib import Path

import pytest

from erp.web.generated import documents

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["docs/events.md", "docs/domain/states.md"])
def test_a_generated_document_is_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == documents()[name], "run manage.py generate_docs"
