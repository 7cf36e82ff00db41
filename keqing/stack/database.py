"""What the doctor says of the workflow database: the file, or PostgreSQL.

In:  a Place and the plan's settings. Out: one Found.
"""

from __future__ import annotations

from keqing.errors import BadConfig, IndexBusy, KeqingError, WorkflowOutdated, WorkflowUnavailable
from keqing.settings import Settings
from keqing.stack.findings import Found, State, fail, ok, warn
from keqing.stack.place import Place
from keqing.workflow.examine import OLDEST_SERVER, Facts, Server, examine

CLOCK_S = 2.0


def workflow(place: Place, settings: Settings) -> Found:
    """Can it be reached, is it whole, is it of this program, may we change it."""
    try:
        facts = examine(settings, place.env)
    except BadConfig as error:
        return fail(f"工作流数据库的设置有误：{error}。", "请按所示改正 [workflow] 或环境变量。")
    except IndexBusy as error:
        return warn(f"工作流数据库正忙，未能查完：{error}。", "请稍后再运行 keqing doctor。")
    except WorkflowOutdated as error:
        return fail(f"工作流数据库与程序不符：{error}。", "请按所示更新程序、恢复备份或继续迁移。")
    except WorkflowUnavailable as error:
        return fail(f"工作流数据库连不上：{error}。", "请检查地址、端口、网络和服务器是否在运行。")
    except KeqingError as error:
        return fail(f"工作流数据库打不开：{error}。", "请按所示原因处理，或从 var/backup 恢复。")
    if facts.server is not None:
        return _served(facts, facts.server)
    if not facts.exists:
        return ok("工作流数据库尚未建立，首次启动时建立。")
    if facts.check != "ok":
        return fail(f"工作流数据库损坏：{facts.check}。", "请从 var/backup 恢复 keqing.db。")
    return _tables(facts, "工作流数据库完好")


def _tables(facts: Facts, well: str) -> Found:
    if facts.step == facts.newest and facts.missing:
        return fail(f"工作流数据库缺少表：{'，'.join(facts.missing)}。", "请从备份恢复。")
    if facts.exists and facts.step < facts.newest:
        return ok(f"{well}，第 {facts.step} 步，下次启动时升级到第 {facts.newest} 步。")
    return ok(f"{well}，第 {facts.newest} 步。" if facts.exists else f"{well}，首次启动时建表。")


def _served(facts: Facts, server: Server) -> Found:
    """What PostgreSQL says of itself."""
    shown = f"{server.shown}（PostgreSQL {server.version}）"
    if server.version < OLDEST_SERVER:
        return fail(f"{shown} 过旧。", f"请升级到 PostgreSQL {OLDEST_SERVER} 或更新。")
    if server.encoding != "UTF8":
        return fail(f"{shown} 的编码是 {server.encoding}。", "请用 createdb -E UTF8 新建数据库。")
    if not server.creates or server.foreign:
        what = f"表 {'，'.join(server.foreign)} 属于别的角色" if server.foreign else "不能建表"
        return fail(f"{shown}：{what}。", "请让 keqing 的角色成为数据库及其中各表的所有者。")
    found = _tables(facts, f"工作流数据库 {shown} 完好")
    if found.state is not State.OK:
        return found
    if abs(server.clock_ahead_s) > CLOCK_S:
        ahead = f"工作流数据库服务器的时钟与本机相差 {server.clock_ahead_s:+.0f} 秒。"
        return warn(ahead, "请让两台机器对时（NTP），租约与会话按本机时钟计。")
    if server.exposed:
        return warn(f"到 {shown} 的连接没有加密。", "请在服务器启用 TLS，并写 [workflow] ca。")
    if server.dump is None:
        return warn(f"{shown}：本机没有 pg_dump，夜间备份不含它。", _OWN_BACKUP)
    if server.dump < server.version:
        old = f"{shown}：本机的 pg_dump {server.dump} 比服务器旧，夜间备份会失败。"
        return fail(
            old, f"请安装 postgresql-client-{server.version}，或卸下旧的并用服务器自己的备份。"
        )
    return found


_OWN_BACKUP = "请用服务器自己的备份（pg_basebackup、快照），或安装 postgresql-client。"
