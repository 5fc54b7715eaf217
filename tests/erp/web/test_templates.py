"""Every template of ours: what the browser's policy would refuse, what would leave the house."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))
STATIC = [*ROOT.glob("erp/web/static/**/*.js"), *ROOT.glob("erp/web/static/**/*.css")]
TAG = re.compile(r"<[a-zA-Z][^>]*>", re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
class TestTemplate:
    def test_has_no_inline_style_or_script(self, path: Path) -> None:
        text = path.read_text()

        assert not re.search(r"<script(?![^>]*\bsrc=)", text)
        assert "<style" not in text
        for tag in TAG.findall(text):
            assert not re.search(r"\s(style|on[a-z]+)\s*=", tag), tag
            assert not re.search(r"hx-on", tag), tag

    def test_asks_nobody_outside(self, path: Path) -> None:
        outside = re.findall(
            r"""(?:src|href|action|url)\s*=?\s*["'(]\s*(?:https?:)?//""", path.read_text()
        )

        assert not outside

    def test_its_posts_carry_a_token(self, path: Path) -> None:
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.DOTALL):
            if re.search(r"""method=["']post""", form, re.IGNORECASE):
                assert "csrf" in form, form[:200]


@pytest.mark.parametrize("path", STATIC, ids=lambda p: p.name)
def test_what_is_sent_along_asks_nobody_outside(path: Path) -> None:
    assert not re.search(r"https?://(?!www\.w3\.org)|@import|eval\(|new Function", path.read_text())


def test_the_script_stays_small_enough_to_read() -> None:
    assert (ROOT / "erp/web/static/web/app.js").read_text().count("\n") < 350
