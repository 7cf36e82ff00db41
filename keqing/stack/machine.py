"""What the doctor looks at on any machine: the program, its files, its ports.

In:  a Place. Out: one Found a check; a check changes nothing.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement

from keqing.errors import KeqingError
from keqing.privacy import KEY_NAME
from keqing.settings import secret
from keqing.stack import airflow
from keqing.stack.findings import Found, fail, ok, warn
from keqing.stack.listeners import our_sessions, sessions_at
from keqing.stack.place import Place
from keqing.stack.ports import is_free
from keqing.stack.secrets import NAMES
from keqing.workflow import db

PYTHONS = (3, 11), (3, 14)
SQLITE = (3, 40)
DISK_BYTES = 1_000_000_000
SHOWN = 4


def _python(place: Place) -> Found:
    shown = ".".join(str(part) for part in place.python)
    if PYTHONS[0] <= place.python < PYTHONS[1]:
        return ok(f"Python {shown}。")
    return fail(
        f"Python {shown} 不受支持。", "请安装 Python 3.11、3.12 或 3.13 后重新 make install。"
    )


def _packages(place: Place) -> Found:
    if not place.lock.exists():
        return warn("没有 requirements.lock，无法核对软件包版本。", "请从仓库目录运行。")
    wanted = [
        Requirement(row) for row in place.lock.read_text(encoding="utf-8").splitlines() if row
    ]
    fit = [w for w in wanted if w.marker is None or w.marker.evaluate()]
    wrong = [text for text in map(_difference, fit) if text]
    if not wrong:
        return ok(f"{len(fit)} 个软件包与 requirements.lock 一致。")
    more = f" 等 {len(wrong)} 个" if len(wrong) > SHOWN else ""
    return warn(
        f"软件包与锁定版本不符：{'，'.join(wrong[:SHOWN])}{more}。", "请运行 make install。"
    )


def _difference(wanted: Requirement) -> str:
    try:
        there = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} 未安装"
    if wanted.specifier.contains(there, prereleases=True):
        return ""
    return f"{wanted.name} {there}（应为 {wanted.specifier}）"


def sqlite_facts() -> tuple[str, bool]:
    """Release of the SQLite library, and whether it has FTS5."""
    with db.begin(db.open_url("sqlite://")) as tx:
        release = str(tx.exec_driver_sql("SELECT sqlite_version()").scalar_one())
        modules = tx.exec_driver_sql("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'")
        return release, bool(modules.scalar_one())


def _sqlite(place: Place) -> Found:
    release, fts5 = sqlite_facts()
    advice = "请改用自带较新 SQLite（≥ 3.40，含 FTS5）的 Python。"
    if tuple(int(part) for part in release.split(".")[:2]) < SQLITE:
        return fail(f"SQLite {release} 过旧。", advice)
    if not fts5:
        return fail(f"SQLite {release} 不含 FTS5。", advice)
    return ok(f"SQLite {release}，含 FTS5。")


def _disk(place: Place) -> Found:
    folder = next(path for path in (place.var, *place.var.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    shown = f"{folder} 所在磁盘剩余 {free / 1e9:.1f} GB"
    if free >= DISK_BYTES:
        return ok(f"{shown}。")
    return fail(f"{shown}，不足 1 GB。", "请清理磁盘或把目录移到更大的磁盘。")


def _var(place: Place) -> Found:
    if not place.var.exists():
        if os.access(place.root, os.W_OK):
            return ok("var 尚未建立，首次启动时建立。")
        return fail(f"{place.root} 不存在或不可写。", "请改用正确的 --root，或更改目录的权限。")
    if not place.var.is_dir() or not os.access(place.var, os.W_OK | os.X_OK):
        return fail(f"{place.var} 不是可写的目录。", "请更改其所有者或权限。")
    if mode := _open_to_others(place.var):
        return fail(f"var 的权限为 {mode}，其他用户可进入。", f"请运行 chmod 700 {place.var}")
    return ok("var 可写，仅所有者可进入。")


def _time_zone(place: Place) -> Found:
    try:
        zone = ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return fail("缺少时区数据 Asia/Shanghai。", "请安装系统软件包 tzdata。")
    if datetime(2026, 1, 1, tzinfo=zone).utcoffset() != timedelta(hours=8):
        return fail("时区数据 Asia/Shanghai 不是 UTC+8。", "请重新安装系统软件包 tzdata。")
    return ok("时区数据齐全（Asia/Shanghai）。")


def _ports(place: Place) -> Found:
    path = place.var / "ports.json"
    if not path.exists():
        return ok("端口尚未分配，首次启动时分配。")
    try:
        kept = {str(k): int(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError):
        return fail("var/ports.json 无法读取。", "请删除该文件，下次启动时重新分配。")
    busy = {name: port for name, port in kept.items() if not is_free(port)}
    ours = our_sessions(place.var / "run")
    strange = {n: p for n, p in busy.items() if not sessions_at(p) & ours}
    if not strange:
        return ok(f"{len(kept)} 个端口：{len(busy)} 个由本系统使用，其余空闲。")
    shown = "，".join(f"{name} {port}" for name, port in strange.items())
    advice = "下次启动会自动改用空闲端口；须固定端口时，请先停止占用它的程序。"
    return warn(f"端口被其他程序占用：{shown}。", advice)


def _airflow(place: Place) -> Found:
    cfg = configparser.ConfigParser(interpolation=None)
    cfg.read_string(place.cfg.read_text(encoding="utf-8"))
    base, port = cfg.get("api", "base_url"), cfg.getint("api", "port")
    if urlsplit(base).port == port:
        return ok(f"airflow.cfg 的 base_url 与 port 一致（{port}）。")
    advice = "请在 airflow.cfg [api] 中把两处改为同一端口，否则任务无法回报。"
    return fail(f"airflow.cfg：base_url 为 {base}，port 为 {port}。", advice)


def _dags(place: Place) -> Found:
    files = sorted(place.dags.glob("*.py"))
    missing = [name for name in airflow.DAGS if place.dags / f"{name}.py" not in files]
    if missing:
        return fail(f"缺少 DAG 文件：{'，'.join(missing)}。", "请从仓库恢复 dags 目录。")
    for path in files:
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)  # writes no bytecode
        except (SyntaxError, ValueError) as error:
            return fail(f"dags/{path.name} 无法编译：{error}。", "请改正或从仓库恢复该文件。")
    return ok(f"{len(files)} 个 DAG 文件可以编译。")


def _secrets(place: Place) -> Found:
    given = [name for name in (*NAMES, KEY_NAME) if secret(name, place.env)]
    files = [place.var / "secrets" / n for n in (*NAMES, KEY_NAME) if n not in given]
    there = [path for path in (*files, place.var / "passwords.json") if path.exists()]
    for path in there:
        if mode := _open_to_others(path):
            return fail(f"{path} 的权限为 {mode}，其他用户可读。", f"请运行 chmod 600 {path}")
        if not path.read_text(encoding="utf-8").strip():
            return fail(f"{path} 是空的。", "请从备份恢复，或从环境变量给出。")
    return ok(f"密钥：环境给出 {len(given)} 个，文件 {len(there)} 个，缺的首次启动时生成。")


def _models(place: Place) -> Found:
    from nlp import linear

    try:
        model = linear.load.__wrapped__(place.model)  # from the disk, past the cache
    except KeqingError as error:
        return fail(f"首级模型不可用：{error}。", "请从仓库恢复 nlp/models/linear。")
    return ok(f"首级模型 {model.version} 与其卡片的校验值一致。")


def _chromium(place: Place) -> Found:
    path = shutil.which("chromium", path=place.env.get("PATH"))
    if path:
        return ok(f"Chromium 在 {path}。")
    return warn("没有 Chromium，浏览器测试会跳过。", "需要时请运行 apt-get install chromium")


def _font(place: Place) -> Found:
    from alerts.chart import chart_font

    if name := chart_font():
        return ok(f"中文字体 {name}。")
    return warn("没有中文字体，邮件图表改用英文。", "请运行 apt-get install fonts-noto-cjk")


def _open_to_others(path: Path) -> str:
    """The mode as in chmod if group or others have any right, else ""."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:04o}" if mode & 0o077 else ""


MACHINE: tuple[tuple[str, Callable[[Place], Found]], ...] = (
    ("python", _python),
    ("packages", _packages),
    ("sqlite", _sqlite),
    ("disk", _disk),
    ("var", _var),
    ("time-zone", _time_zone),
    ("ports", _ports),
    ("airflow-url", _airflow),
    ("dags", _dags),
    ("secrets", _secrets),
    ("model", _models),
    ("chromium", _chromium),
    ("font", _font),
)
