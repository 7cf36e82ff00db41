"""The chart of a mail: negative voices of the last 24 hours and the expected band, as PNG.

In:  hourly values, the band, the moment of the alarm.
Out: PNG bytes, the same for the same input. Without a CJK font the labels are English and a
warning is logged once: a box in place of each character would say less.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import matplotlib.dates as dates
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from keqing.logs import get_logger
from keqing.records import Level

CHINA = ZoneInfo("Asia/Shanghai")
FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei")
COLOURS = {
    Level.BLUE: "#1d5fbf",
    Level.YELLOW: "#b58900",
    Level.ORANGE: "#c2570c",
    Level.RED: "#b42318",
}
INK, LINE, BAND = "#5b6676", "#e3e8ef", "#e3ecf8"
log = get_logger(__name__)


@dataclass(frozen=True)
class ChartData:
    """Voices per hour at each start, and the band around the newest hour."""

    starts: Sequence[datetime]
    values: Sequence[float]
    low: float
    high: float
    at: datetime
    level: Level


def draw(data: ChartData) -> bytes:
    """PNG of 6 × 2.2 inch at 150 dpi."""
    font = chart_font()
    words = _WORDS["zh" if font else "en"]
    figure = Figure(figsize=(6, 2.2), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.07, 0.14, 0.91, 0.72))
    text = {"fontfamily": font, "color": INK} if font else {"color": INK}
    axes.axhspan(data.low, data.high, color=BAND, zorder=0)
    axes.plot(list(data.starts), list(data.values), color=COLOURS[data.level], linewidth=1.8)
    axes.axvline(data.at, color=COLOURS[data.level], linewidth=0.9, linestyle=(0, (3, 3)))
    axes.set_title(words[0], loc="left", fontsize=8, **text)
    if data.starts:
        axes.text(data.starts[0], data.high, words[1], fontsize=7, va="bottom", **text)
    _style(axes)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


@cache
def chart_font() -> str | None:
    """Name of an installed CJK font; the font list is rebuilt once before giving up."""
    found = _installed() or _rebuilt()
    if found is None:
        log.warning("no CJK font for charts", install="fonts-noto-cjk or fonts-wqy-microhei")
    return found


_WORDS = {
    "zh": ("负面声音（人/时）", "预期区间"),
    "en": ("negative voices per hour", "expected"),
}


def _style(axes: Axes) -> None:
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.tick_params(length=0, labelsize=7, labelcolor=INK)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=CHINA))


def _installed() -> str | None:
    names = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in FONTS if name in names), None)


def _rebuilt() -> str | None:
    # matplotlib caches its list: a font that was installed after its first import is not in it.
    for path in font_manager.findSystemFonts():
        if any(word in path.lower() for word in ("cjk", "wqy", "sourcehan")):
            font_manager.fontManager.addfont(path)
    return _installed()
