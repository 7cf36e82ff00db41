"""Pages in a real browser: no policy violation, no foreign request, readable by everyone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from bench.screens import PAGES, paths
from bench.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(v => ["serious", "critical"].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)}`)"""
LONG = "极长的中文内容没有任何空格可以换行" * 12


def entered(context: BrowserContext, site: Served) -> Page:
    """The overview of somebody signed in."""
    page = context.new_page()
    page.goto(f"{site.url}/")
    return page


def watched(page: Page) -> list[str]:
    """Everything that should not happen: script errors, policy messages, foreign requests."""
    seen: list[str] = []
    page.on("console", lambda said: seen.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda r: None if "//127.0.0.1" in r.url else seen.append(r.url))
    return seen


@pytest.mark.parametrize(
    "name", ["overview", "mentions", "incidents", "incident", "health", "account"]
)
def test_no_violation_and_no_foreign_request(desk: BrowserContext, site: Served, name: str) -> None:
    """Charts are drawn and hovered; the console stays silent and nothing leaves the machine."""
    page = entered(desk, site)
    path = paths(page, site)[name]
    seen = watched(page)
    page.goto(f"{site.url}{path}")
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.hover()
        page.wait_for_timeout(200)
        assert plot.get_attribute("data-ready") == "1"
        assert plot.locator("canvas").count() >= 1
    assert seen == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", [*PAGES, "login"])
def test_axe_finds_nothing_serious(
    desk: BrowserContext, site: Served, axe: str, name: str, lang: str
) -> None:
    """Contrast, names, roles, landmarks: no serious violation in either language."""
    if name == "login":
        desk.clear_cookies()
    page = entered(desk, site)
    path = "/login" if name == "login" else paths(page, site)[name]
    page.goto(f"{site.url}{path}{'&' if '?' in path else '?'}lang={lang}")
    page.evaluate(axe)
    assert page.evaluate(AXE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_in_the_dark(desk: BrowserContext, site: Served, axe: str, scheme: Any) -> None:
    """The overview is readable in both colour schemes."""
    page = entered(desk, site)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site.url}/")
    page.evaluate(axe)
    assert page.evaluate(AXE) == []


@pytest.mark.parametrize("name", [*PAGES, "login"])
def test_a_phone_never_scrolls_sideways(phone: BrowserContext, site: Served, name: str) -> None:
    """390 px hold every page; what must be touched is at least 24 px high."""
    if name == "login":
        phone.clear_cookies()
    page = entered(phone, site)
    path = "/login" if name == "login" else paths(page, site)[name]
    page.goto(f"{site.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, .tabs a')]"
        ".filter(e => e.offsetHeight && e.offsetHeight < 24).map(e => e.outerHTML)"
    )
    assert small == []


@pytest.mark.parametrize("width", [390, 1440])
def test_long_words_break(desk: BrowserContext, site: Served, width: int) -> None:
    """A text without blanks, however long, widens nothing."""
    page = entered(desk, site)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.url}/mentions")
    page.evaluate(
        "words => document.querySelectorAll('.words, .meta span, .ellipsis')"
        ".forEach(e => { e.textContent = words; })",
        LONG,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_alert_to_closed_by_keyboard(desk: BrowserContext, site: Served) -> None:
    """An alert is found, acknowledged and closed without a mouse."""
    page = entered(desk, site)
    page.goto(f"{site.url}/incidents")
    page.locator("td a[href^='/incidents/']").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/*")
    page.get_by_role("button", name="签收").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=已签收")
    page.locator("select[name=reason]").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="办结").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=重开")


def test_a_click_on_a_bar_opens_its_posts(desk: BrowserContext, site: Served) -> None:
    """A step of the chart leads to the list of that step."""
    page = entered(desk, site)
    plot = page.locator(".plot").first
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    plot.click(position={"x": 300, "y": 120})
    page.wait_for_url("**/mentions?*since=*")


def test_slash_goes_to_the_query_and_words_of_an_ime_arrive(
    desk: BrowserContext, site: Served
) -> None:
    """`/` focuses the box; composed text is searched as it was typed."""
    page = entered(desk, site)
    page.goto(f"{site.url}/mentions")
    page.keyboard.press("/")
    page.keyboard.insert_text("塑料片")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    assert page.locator("#q").input_value() == "塑料片"


def test_the_overview_refreshes_itself(desk: BrowserContext, site: Served) -> None:
    """After a minute it asks again, as a poll, and draws its charts anew; an open table waits."""
    page = desk.new_page()
    page.clock.install()
    page.goto(f"{site.url}/")
    polls: list[str] = []
    page.on("request", lambda r: polls.append(r.url) if r.headers.get("x-keqing-poll") else None)
    with page.expect_response(lambda r: r.request.headers.get("x-keqing-poll") == "1"):
        page.clock.fast_forward(61_000)
    page.wait_for_selector(".plot[data-ready] canvas")
    page.locator("details summary").first.click()
    page.clock.fast_forward(61_000)
    page.wait_for_timeout(300)
    assert len(polls) == 1


@pytest.mark.parametrize("width", [390, 1440])
def test_a_blind_span_is_hatched_at_any_width(
    desk: BrowserContext, site: Served, width: int
) -> None:
    """Each blind step is a hatched bar as wide as a step; none falls between two shown labels."""
    page = desk.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.url}/")
    page.wait_for_selector(".plot[data-ready]")
    wide = page.evaluate(
        """() => {
            const box = document.querySelector(".plot"), chart = JSON.parse(box.dataset.chart);
            const bars = echarts.getInstanceByDom(box).getZr().storage.getDisplayList(true)
                .filter(d => d.type === "rect" && d.style.fill && d.style.fill.image);
            const steps = chart.blind.reduce((n, [a, b]) => n + b - a + 1, 0);
            return [bars.length, steps, Math.min(...bars.map(d => Math.abs(d.shape.width)))];
        }"""
    )
    assert wide[0] == wide[1] > 0
    assert wide[2] > 5
