"""Every page fixture gives the rows, counts and links that were written down for it."""

from __future__ import annotations

import pytest

from crawlers.parse import KINDS
from tests.pages.cases import Case, cases, row_of

CASES = cases()
FIELDS = [
    (case, name) for case in CASES for name in sorted({k for r in case.expected["rows"] for k in r})
]


def test_every_kind_of_page_has_a_fixture() -> None:
    """No parser is without a page of the project's own."""
    assert {case.kind for case in CASES} == set(KINDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_gives_its_rows(case: Case) -> None:
    """The same rows in the same order, the same reasons, references and next page."""
    parsed = case.parse()
    wanted = case.expected
    assert [item.native_id for item in parsed.items] == [r["native_id"] for r in wanted["rows"]]
    assert dict(parsed.skipped) == wanted["skipped"]
    assert (len(parsed.bad), list(parsed.unknown_fields)) == (
        wanted["bad"],
        wanted["unknown_fields"],
    )
    assert [f"{ref.kind} {ref.key}" for ref in parsed.refs] == wanted["refs"]
    assert parsed.next_page == wanted["next_page"]


@pytest.mark.parametrize(
    ("case", "name"), FIELDS, ids=lambda v: v if isinstance(v, str) else v.name
)
def test_a_field_is_read(case: Case, name: str) -> None:
    """One field of all rows of one page."""
    rows = [row_of(item) for item in case.parse().items]
    assert [row.get(name) for row in rows] == [row.get(name) for row in case.expected["rows"]]
