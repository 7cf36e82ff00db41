"""Progress names pages, not hosts."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest

from crawlers.walk import kept_address


@pytest.mark.parametrize(
    ("base", "url", "kept"),
    [
        (
            "https://a.example/",
            "https://a.example/forum.php?tid=1&page=2",
            "./forum.php?tid=1&page=2",
        ),
        ("https://a.example/bbs/", "https://a.example/bbs/t/1.json", "./t/1.json"),
        ("https://a.example/bbs/", "https://a.example/other/x?y=1", "/other/x?y=1"),
        ("https://a.example/", "https://a.example/", "./"),
        ("https://a.example", "https://a.example/item/P1", "./item/P1"),
    ],
)
def test_an_address_comes_back_on_any_host(base: str, url: str, kept: str) -> None:
    """Kept without its host, it leads to the same page there and on the card's next host."""
    assert kept_address(base, url) == kept
    assert urljoin(base, kept) == url
    moved = base.replace("https://a.example", "http://b.example:81")
    assert urljoin(moved, kept) == url.replace("https://a.example", "http://b.example:81")


@pytest.mark.parametrize("path", ["a:b.html", "//other.example/y", "?q=a:b"])
def test_odd_paths_stay_on_the_host(path: str) -> None:
    """A colon or two slashes in a path make no scheme and no host of it."""
    base = "https://a.example/"
    back = urlsplit(urljoin(base, kept_address(base, base + path)))
    assert (back.scheme, back.netloc) == ("https", "a.example")
    assert back.path.strip("/") == path.partition("?")[0].strip("/")
