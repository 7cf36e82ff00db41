"""Sentences: each has its English, none is unused, none stands bare in a template."""

from __future__ import annotations

import re
from pathlib import Path

import dashboards
from dashboards.locale import english, translate
from dashboards.render import COUNTS, ROLES, UNITS

TEMPLATES = sorted((Path(dashboards.__file__).parent / "templates").glob("*.html"))
SENTENCE = re.compile(r"_\(\s*'((?:[^'\\]|\\.)*)'")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
MADE = {"{span}前", "{d} 天 {h} 小时"}


def sentences() -> set[str]:
    """Everything that pages may say."""
    found = {text for path in TEMPLATES for text in SENTENCE.findall(path.read_text("utf-8"))}
    return found | set(ROLES.values()) | set(COUNTS.values()) | set(UNITS.values()) | MADE


def test_every_sentence_has_english_and_none_is_left_over() -> None:
    """The catalogue and the templates name the same sentences."""
    assert sentences() == set(english())


def test_english_keeps_the_names_in_braces() -> None:
    """A value is never lost in translation."""
    for zh, en in english().items():
        assert sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", en)), zh


def test_no_bare_chinese_in_templates() -> None:
    """Chinese stands in `_()` only; 中文 names the language itself."""
    for path in TEMPLATES:
        text = re.sub(r"{#.*?#}", "", SENTENCE.sub("", path.read_text("utf-8")), flags=re.DOTALL)
        assert set(CHINESE.findall(text)) <= {"中文"}, path.name


def test_templates_stay_safe() -> None:
    """No filter that trusts a text, no inline script or style, nothing fetched from elsewhere."""
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape false|hx-on|style=|\son\w+=", text), path.name
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path.name


def test_unknown_sentence_is_shown_in_chinese() -> None:
    """Better the wrong language than nothing."""
    assert translate("没有译文", "en") == "没有译文"
