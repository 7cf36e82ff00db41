"""Pictures of every page on a desk and on a phone: `python -m bench.screens --out docs/screens`.

In:  Debian's chromium. Out: PNG files; each page is filled with the demo city.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.served import NAME, PASSWORD, Served, served

SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PAGES = {
    "overview": "/",
    "mentions": "/mentions?q=(塑料片 | 异物) -招聘 情感:负面",
    "post": "",
    "events": "/events",
    "event": "",
    "query-error": "/mentions?q=木槿壶 (塑料片 | 异物 来原:微博",
    "incidents": "/incidents",
    "incident": "",
    "health": "/health",
    "account": "/account",
    "audit": "/audit",
}
ARGS = ["--no-sandbox", "--disable-dev-shm-usage"]


def main() -> int:
    """Write all pictures; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    out: Path = parser.parse_args().out
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is missing: apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=ARGS)
            for name, (width, height) in SIZES.items():
                _all(browser, site, out, name, width, height, "light")
            _all(browser, site, out, "dark", *SIZES["desk"], "dark")
            browser.close()
    return 0


def sign_in(page: Page, site: Served) -> None:
    """Through the form, as staff do."""
    page.goto(f"{site.url}/login")
    page.fill("[name=name]", NAME)
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    page.wait_for_url(f"{site.url}/")


def paths(page: Page, site: Served) -> dict[str, str]:
    """Addresses of all pages; incident, post and event are the first ones of their lists."""
    page.goto(f"{site.url}/incidents")
    first = page.locator("td a[href^='/incidents/']").first.get_attribute("href") or ""
    page.goto(f"{site.url}{PAGES['mentions']}")
    post = page.locator("a[href^='/post?id=']").first.get_attribute("href") or ""
    page.goto(f"{site.url}/events")
    event = page.locator("td a[href^='/events/']").first.get_attribute("href") or ""
    return PAGES | {"incident": first, "post": post, "event": event}


def _all(
    browser: Browser, site: Served, out: Path, name: str, width: int, height: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.screenshot(path=out / f"login-{name}.png")
    sign_in(page, site)
    for title, path in paths(page, site).items():
        page.goto(f"{site.url}{path}")
        page.wait_for_timeout(300)
        page.screenshot(path=out / f"{title}-{name}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    raise SystemExit(main())
