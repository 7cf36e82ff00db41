"""What the doctor looks at once the plan can be read: sources, index, second stage, mail.

In:  a Place and the plan's settings. Out: one Found a check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from keqing.errors import IndexBusy, IndexTimeout, KeqingError, Unreachable
from keqing.settings import Settings, secret
from keqing.stack.database import workflow
from keqing.stack.findings import Found, fail, ok, warn
from keqing.stack.place import Place

CLOCK_S = 2.0
SMTP_PASSWORD = "KEQING__SMTP__PASSWORD"  # noqa: S105  # a name


def _plan(place: Place, settings: Settings) -> Found:
    brands, targets = len(settings.plan.brands), len(settings.plan.watch.target)
    cards = len(settings.cards)
    return ok(f"监测方案与信源卡有效：品牌 {brands} 个，目标 {targets} 个，信源卡 {cards} 张。")


def _sources(place: Place, settings: Settings) -> Found:
    from crawlers.politeness import is_loopback, is_private

    watched = sorted({target.source for target in settings.plan.watch.target})
    hosts = {name: urlsplit(settings.cards[name].base_url).hostname or "" for name in watched}
    public = {name: host for name, host in hosts.items() if not is_loopback(host)}
    if inner := [name for name, host in public.items() if is_private(host)]:
        return fail(f"信源卡指向内网地址：{'，'.join(inner)}。", "请在信源卡写公开站点的地址。")
    if public and not settings.plan.operator.contact:
        found = f"监测公开站点（{'，'.join(public)}），但没有联系方式。"
        return fail(found, "请在 keqing.toml 写 [operator] contact，否则拒绝采集。")
    if not watched:
        return warn("方案没有监测任何信源。", "请在 keqing.toml 写 [watch] target。")
    return ok(f"监测信源 {len(watched)} 个，都有信源卡；公开站点 {len(public)} 个。")


def _index(place: Place, settings: Settings) -> Found:
    from index.engine import embedded, open_index

    served = settings.plan.index.url is not None
    if not served and not embedded(settings).exists():
        if list(settings.var.glob("mentions-*.db")):
            return warn("索引换了新版，尚未建立。", "下一次 keqing load 会由研判文件重新填满。")
        return ok("索引尚未建立，首次载入时建立。")
    try:
        engine = open_index(settings, place.env)
        try:
            health = engine.health()
        finally:
            engine.close()
    except (IndexBusy, IndexTimeout) as error:
        return warn(f"索引正忙，未能查完：{error}。", "请稍后再运行 keqing doctor。")
    except KeqingError as error:
        return fail(f"索引打不开：{error}。", "请按所示原因处理，或从 var/backup 恢复。")
    if served:
        return _served(health)
    if not health["ok"]:
        return fail(f"索引文件损坏：{health.get('check')}。", "请从 var/backup 恢复。")
    older = [path for path in settings.var.glob("mentions-*.db") if path != embedded(settings)]
    if older and not health["documents"]:
        return warn("索引换了新版，还是空的。", "下一次 keqing load 会由研判文件重新填满。")
    return ok(f"索引完好，{health['documents']:,} 篇。")


def _served(health: Mapping[str, Any]) -> Found:
    """What a search server says of itself."""
    if not health["ok"]:
        return fail(f"检索服务异常：{health['check']}。", "请查看服务器的日志与磁盘。")
    if abs(ahead := health["clock_ahead_s"]) > CLOCK_S:
        found = f"检索服务器的时钟与本机相差 {ahead:+.0f} 秒。"
        return warn(found, "请让两台机器对时（NTP）。")
    return ok(f"检索服务完好（{health['check']}），{health['documents']:,} 篇。")


def _second_stage(place: Place, settings: Settings) -> Found:
    """All that reads a post, as the plan names it: both stages and what corrections taught."""
    from nlp import cascade, house, linear

    plan = settings.plan.nlp
    try:
        first = linear.load(linear.folder_of(plan.model, settings.root))
        taught = house.load(settings.var / house.FOLDER, first)
        version = cascade.build(first, plan.second_stage, settings.root, taught).version
    except KeqingError as error:
        advice = '请按所示补全；第二级可写 [nlp.second_stage] model = "off"。'
        return fail(f"研判用的模型不可用：{error}。", advice)
    off = "第二级模型未启用；" if plan.second_stage.model == "off" else ""
    return ok(f"{off}模型 {version} 可以载入。")


def _smtp(place: Place, settings: Settings) -> Found:
    from alerts.receivers.probe import probe

    smtp = settings.plan.smtp
    if not smtp.host:
        if any(r.channel == "email" for r in settings.plan.receivers.values()):
            found = "有邮件接收人，但没有邮件服务器；预警只写入本地邮箱目录。"
            return warn(found, "请在 keqing.toml 写 [smtp] host。")
        return ok("没有配置邮件服务器，预警写入本地邮箱目录。")
    if smtp.user and not secret(SMTP_PASSWORD, place.env):
        return fail("[smtp] 有用户名，没有密码。", f"请设置 {SMTP_PASSWORD} 或其 _FILE。")
    try:
        probe(smtp)
    except Unreachable as error:
        return fail(f"邮件服务器连不上：{error}。", "请检查 [smtp] 的地址、端口、starttls 和网络。")
    return ok(f"邮件服务器 {smtp.host}:{smtp.port} 可连接（未登录）。")


PLANNED: tuple[tuple[str, Callable[[Place, Settings], Found]], ...] = (
    ("plan", _plan),
    ("sources", _sources),
    ("workflow", workflow),
    ("index", _index),
    ("second-stage", _second_stage),
    ("smtp", _smtp),
)
