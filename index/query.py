"""The questions of keqing: query tree, boolean language and answers in one place.

In:  what staff type (`parse`), or nodes built by a program.
Out: names for alerts, dashboards and the command line; nothing above `index` needs another module
than this one and `index.engine`.
"""

from index.answers import (
    Bucket,
    Count,
    Hit,
    IndexEngine,
    Keyword,
    LoadReport,
    SearchPage,
    Series,
    Similar,
    Sort,
    Window,
)
from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word, leaves
from index.language import parse, show

__all__ = [
    "All", "And", "Bucket", "Count", "Hit", "IndexEngine", "Keyword", "LoadReport", "Near", "Node",
    "Not", "Or", "Phrase", "Range", "SearchPage", "Series", "Similar", "Sort", "Tag", "Window", "Word",
    "leaves", "parse", "show",
]  # fmt: skip
