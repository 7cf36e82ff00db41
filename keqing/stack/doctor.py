"""The doctor: is this machine and its installation fit to run, one line a check.

In:  a Place: the folder of keqing.toml, the environment, the shipped files. Out: a DoctorReport; each
line says what was found and, unless all is well, what to do. Repairs nothing, creates nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from keqing.settings import load_settings
from keqing.stack.findings import DoctorReport, Found, Line, State, fail
from keqing.stack.machine import MACHINE
from keqing.stack.place import Place
from keqing.stack.planned import PLANNED


def examine(place: Place) -> DoctorReport:
    """Run every check; those that need the plan are left out when it cannot be read."""
    lines = [_line(name, partial(check, place)) for name, check in MACHINE]
    try:
        settings = load_settings(place.root, place.env)
    except Exception as error:
        lines.append(_line("plan", partial(_unread, error)))
    else:
        lines += [_line(name, partial(check, place, settings)) for name, check in PLANNED]
    return DoctorReport(checks=lines, failed=sum(line.state is State.FAIL for line in lines))


def _line(name: str, check: Callable[[], Found]) -> Line:
    """The line of one check; a check that breaks is a fail, and the round goes on."""
    try:
        got = check()
    except Exception as error:
        got = fail(f"检查中断：{type(error).__name__}: {error}。", "请按所示原因处理后重试。")
    return Line(name=name, state=got.state, found=got.found, advice=got.advice)


def _unread(error: Exception) -> Found:
    said = str(error).replace("\n", "；")
    advice = (
        "请按所示文件和行号改正；依赖监测方案的各项（信源、索引、第二级模型、邮件）本次未检查。"
    )
    return fail(f"监测方案或信源卡无效：{said}", advice)
