"""Role of an author, with confidence and reasons: who speaks, never who it is.

In:  a post's public author block, its own words, what was known before. Out: a Judged. An
`employee?` and `suspected` are guesses by their name and are never shown as fact. Private traits
(sex, age, origin, belief, health) are neither read nor derived.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from keqing.records import Channel, Kind, Post
from keqing.settings import Brand
from nlp.text import flat


class Role(StrEnum):
    """Stable codes; a question mark belongs to what is only suspected."""

    OFFICIAL = "official"
    GOVERNMENT = "government"
    MEDIA = "media"
    ENTERPRISE = "enterprise"
    KOL = "kol"
    VERIFIED = "verified"
    CUSTOMER = "customer"
    EMPLOYEE = "employee?"
    OBSERVER = "observer"
    SUSPECTED = "suspected"


@dataclass(frozen=True)
class Judged:
    """A role, how sure, and by which signs (stable codes)."""

    role: Role
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """What own words tell of the author: a purchase of one's own, a workplace."""

    lived: bool = False
    works_there: bool = False


# verified_type of Weibo: 0 is a person, 200 and 220 are talents (达人), -1 is nobody.
ORGANISATIONS = {
    1: (Role.GOVERNMENT, 0.98, "verified_government"),
    2: (Role.ENTERPRISE, 0.95, "verified_enterprise"),
    3: (Role.MEDIA, 0.98, "verified_media"),
    4: (Role.VERIFIED, 0.9, "verified_school"),
    5: (Role.ENTERPRISE, 0.7, "verified_site"),
    6: (Role.ENTERPRISE, 0.7, "verified_app"),
    7: (Role.VERIFIED, 0.9, "verified_organisation"),
}
TALENTS = frozenset({200, 220})
MANY, MANY_OF_A_TALENT = 100_000, 50_000  # followers from which a person is a KOL
ADDED = re.compile(r"(?:官方(?:微博|账号|旗舰店)?|旗舰店|客服(?:中心)?|官博|中国)+$")
ASKED = frozenset({Channel.CALL_CENTRE, Channel.PORTAL, Channel.SMS, Channel.STORE})
WHEN = (
    r"刚刚?|才|昨天|昨晚|前天|今天|今早|早上|中午|下午|晚上|周末|上周|上个?月|去年|前几天|第一次|也|又|都|就|"
    r"在[^，。！？\n]{1,12}|从[^，。！？\n]{1,12}|花了?[^，。！？\n]{1,8}|自己"
)
LIVED = re.compile(
    rf"我(?:们|家|妈|爸|老公|老婆|儿子|女儿|对象|家孩子)?(?:{WHEN}){{0,3}}"
    r"(?:买|点|订|下单|住|喝|吃|用|收|充|办|退|装|修|预订)(?:的|了|过|到|出)"
    r"|(?:^|[，。！？；\s])(?:刚|才|昨天|昨晚|前天|今天|中午|下午|周末|上周|早上|晚上|下班路上)[^，。！？\n]{0,14}"
    r"(?:买|点|订|住|喝|吃|取|收|下单|预订)(?:的|了|过|到|完|出)"
    r"|(?<![被人家别])(?:点|买|订|尝|入手|下单)了(?!吗|没|么|的人)"
    r"|订单号|订单编号|下单(?:后|到现在)|取餐[码号]|凭小票|小票还|签收|已收货|收到货|申请退款|退款(?:被拒|不给|一直没)"
    r"|要求退款|办(?:理)?入住|入住(?:后|时|当天|的)|住了?[一二两三四五六七八九十\d]+晚|等了[^，。！？\n]{0,8}(?:分钟|小时|钟头|天)"
    r"|排了?(?:队)?[^，。！？\n]{0,6}(?:分钟|小时)|回购|复购|用了[^，。！？\n]{0,5}(?:天|个月|年)(?!前)"
    r"|少送(?:了)?一|送来的时候|(?:给我|跟我)(?:说|退|换|打电话)|客服(?:让|叫|跟|给|回复)我|我(?:的|这)(?:订单|快递|外卖|房间)"
    r"|(?:装|用|开|住|穿|喝|吃|戴|养|学|上|练|玩|坐|骑|交|充|打)了(?:快|将近|差不多|足足|整整|不到|才)?[一二两三四五六七八九十半几\d]+(?:个)?(?:多|半)?(?:天|周|星期|月|年|次|趟|节|学期|小时|公里|万公里|块|千|百|万)(?!后就?能)"
    r"|(?:提车|到手|入手|交房|开卡|投保|报名|入学|开机|装机)(?:才|刚|不到|后)?[一二两三四五六七八九十半几\d]+(?:个)?(?:多|半)?(?:天|周|星期|月|年|公里)"
    r"|(?:^|[，。！？；\s])(?:昨晚|昨天|刚|今天|上周|上个月|去年|前天|周末)?(?:坐|乘|搭|住|退|找|去)[^，。！？\n]{1,10}(?:回来|退房|退游|退卡|做的|做了|办的|办了|修的|修了|回家)"
    r"|(?:刚|昨晚|昨天|上个月|去年)(?:从)?[^，。！？\n]{0,8}(?:退房|退游|退课|提车|出院|下飞机|落地|销户|签约|收房)"
    r"|(?:我家|我们家|我妈|我爸|我娃|孩子|娃|宝宝|儿子|女儿|我)(?:家)?(?:住|喝|吃|用|穿|上|学|在)[^，。！？\n]{1,10}(?:期|了|年|月|课|栋|单元)"
    r"|在[^，。！？\n]{1,8}(?:种|做|修|洗|拔|补|剪|染|烫|配|生|绝育|寄养|体检|拍|订)(?:的|了|完|过|，|,)"
    r"|(?:跟|随|报)(?:着|了)?[^，。！？\n]{1,8}(?:去了|玩了|的团|走了)|(?:找|请|约|订|选)的[^，。！？\n]{1,8}[，,。]"
    r"|师傅(?:来|上门)了?[一二两三四\d]+(?:趟|次)|(?:洗衣机|冰箱|空调|电视|手机|车|卡|保险|宽带)是[^，。！？\n]{1,8}的[，,]"
    r"|下次(?:还|再|不)来|再也不(?:来|买|点|去)|(?:昨天|昨晚|中午|周末|下班路上|早上|刚刚)[^，。！？\n]{0,8}(?:去|到|在|住)[^。！？\n]{0,14}(?:点|喝|吃|买|住)"
)
# Told by others, asked for or planned: no experience of one's own.
HEARSAY = re.compile(
    r"听说|据说|据报道|据悉|网传|有消费者|消费者(?:称|反映)|网友(?:称|说|爆料)|记者|有人(?:说|在)|看到(?:新闻|热搜|网上|别人)|"
    r"(?:想|打算|准备|要不要|值不值得)(?:去)?(?:买|点|订|喝|住)"
)
WORKS = re.compile(
    r"我是[^，。！？\n]{0,10}(?:员工|店员|店长|前台|骑手|导购)|(?:前|离职)员工(?:来|说|爆料|表示|一枚)"
    r"|我(?:以前|之前|曾经|现在)?在(?!家)[^，。！？\n]{1,10}(?:上班|实习|当店员|做店员|工作过|干过)"
    r"|我们(?:公司|店里|门店|部门|总部)[^，。！？\n]{0,6}(?:要求|规定|开会|培训|通知|考核|发通知|让我们|扣)"
    r"|在[^，。！？\n]{1,12}(?:干|做|待|跑|上班|工作)[了过][^，。！？\n]{0,3}(?:年|个月|月)|(?:骑手|员工|店员|柜员|客服|销售|代理人|空乘|地勤)一枚"
    r"|(?:我是|我就是|本人是?)[^，。！？\n]{0,10}(?:后厨|厨师|骑手|客服|柜员|地勤|空乘|销售|代理人|快递员|维修工|技师|咨询师|教练|助教|策划|码农)(?!吗)"
    r"|我们(?:站点|网点|门店|支行|项目|校区|工地)[^，。！？\n]{0,6}(?:扣|压|要求|罚|裁|拖)|内部(?:消息|群里|通知|员工|人士)|(?:老板|店长|领导|区域经理)(?:让|要求|逼)我们|我入职"
)


def said(own: str, about_us: bool) -> Said:
    """What flat own words tell of their author, where they are about us."""
    if not about_us:
        return Said()
    lived = bool(LIVED.search(own)) and not HEARSAY.search(own)
    return Said(lived, bool(WORKS.search(own)))


def role(
    post: Post, words: Said, brands: Mapping[str, Brand], *, lived_before: bool, suspected: bool
) -> Judged:
    """The role of a post's author: what the platform has checked before what the words say."""
    checked = _organisation(post, brands)
    if checked is not None:
        return checked
    if suspected:
        return Judged(Role.SUSPECTED, 0.6, ("coordination",))
    return _listened_to(post) or _by_words(post, words, lived_before)


def organisation(post: Post) -> bool:
    """Whether the platform has checked that an organisation speaks."""
    return post.author.verified_type in ORGANISATIONS


def _organisation(post: Post, brands: Mapping[str, Brand]) -> Judged | None:
    if organisation(post):
        found, sure, why = ORGANISATIONS[post.author.verified_type or 0]
        return _ours(post, brands, why) or Judged(found, sure, (why,))
    if post.kind is Kind.ARTICLE:
        return Judged(Role.MEDIA, 0.8, ("article",))
    return None


def _ours(post: Post, brands: Mapping[str, Brand], why: str) -> Judged | None:
    """Official when a checked account bears a name of ours; only such names are ever kept."""
    name = flat(post.author.name or "")
    plain = ADDED.sub("", name)
    for brand in brands.values():
        if not name or not brand.ours:
            continue
        if name in map(flat, brand.accounts):
            return Judged(Role.OFFICIAL, 0.99, ("plan_account", why))
        if plain in map(flat, (brand.name, *brand.aliases)):
            return Judged(Role.OFFICIAL, 0.9, ("brand_name", why))
    return None


def _listened_to(post: Post) -> Judged | None:
    kind, followers = post.author.verified_type, post.author.followers or 0
    if kind in TALENTS:
        if followers >= MANY_OF_A_TALENT:
            return Judged(Role.KOL, 0.85, ("talent", "many_followers"))
        return Judged(Role.VERIFIED, 0.7, ("talent",))
    if kind == 0 or post.author.verified:
        if followers >= MANY:
            return Judged(Role.KOL, 0.9, ("verified_person", "many_followers"))
        return Judged(Role.VERIFIED, 0.9, ("verified_person",))
    return Judged(Role.KOL, 0.6, ("many_followers",)) if followers >= MANY else None


def _by_words(post: Post, words: Said, lived_before: bool) -> Judged:
    if words.works_there:
        return Judged(Role.EMPLOYEE, 0.5, ("workplace_words",))
    if post.kind is Kind.TICKET or post.channel in ASKED:
        return Judged(Role.CUSTOMER, 0.95, ("asked_us",))
    if post.kind is Kind.REVIEW:
        return Judged(Role.CUSTOMER, 0.9, ("review",))
    if words.lived:
        return Judged(Role.CUSTOMER, 0.75, ("own_experience",))
    if lived_before:
        return Judged(Role.CUSTOMER, 0.6, ("earlier_experience",))
    return Judged(Role.OBSERVER, 0.5, ("no_sign",))
