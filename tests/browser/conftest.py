"""Debian's chromium on a filled installation; skipped with the reason where it is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, sync_playwright

from bench.screens import ARGS, sign_in
from bench.served import Served, served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless browser; in CI it must be there."""
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is missing: apt-get install chromium fonts-noto-cjk"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=ARGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The pages, one source blind."""
    with served(tmp_path_factory.mktemp("site"), blind_now=True) as found:
        yield found


@pytest.fixture(scope="session")
def state(browser: Browser, site: Served) -> StorageState:
    """The cookies of one login: twenty a minute are all that an address gets."""
    context = browser.new_context()
    sign_in(context.new_page(), site)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def desk(browser: Browser, site: Served, state: StorageState) -> Iterator[BrowserContext]:
    """A desk in another time zone: pages must say Beijing time all the same."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        timezone_id="America/New_York",
        storage_state=state,
    )
    yield context
    context.close()


@pytest.fixture
def phone(browser: Browser, site: Served, state: StorageState) -> Iterator[BrowserContext]:
    """A phone of 390 × 844."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        storage_state=state,
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's script."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
