"""Who speaks, and how far it carries, on sentences and authors written by the project."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.influence import DATA, correlations, spearman
from demo.said import BIG, MEDIA, OFFICIAL, Said
from demo.weibo import _user
from demo.world import build
from keqing.landing import Landing
from keqing.records import Author, Kind, Mention, Polarity, Post, Versions
from keqing.settings import Brand, Settings, load_settings
from keqing.workflow import db
from keqing.workflow.db import Engine
from nlp import authors, speakers, stories
from nlp.authors import Role
from nlp.influence import STANDING, WEIGHTS, influence
from nlp.run import score
from nlp.speakers import Verdict
from nlp.text import flat
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
OURS = Brand(name="木槿壶", aliases=("木槿壶", "木瑾壶"), accounts=("槿壶小助手",))
RIVAL = Brand(name="青稚茶", aliases=("青稚茶",), ours=False)
BRANDS = {"mujinhu": OURS, "qingzhi": RIVAL}
COUNTS = st.one_of(st.none(), st.integers(0, 10**9))
ROLES = st.sampled_from(list(Role))


def post(text: str = "", **more: object) -> Post:
    return Post.model_validate(
        {"id": "weibo:1", "platform": "weibo", "source": "w", "text": text, "run_id": "r",
         "author": Author(id="k1:a"), "first_seen_at": NOW, "collected_at": NOW} | more
    )  # fmt: skip


def judged(made: Post, *, before: bool = False, suspected: bool = False) -> authors.Judged:
    words = authors.said(flat(made.text or ""), about_us=True)
    return authors.role(made, words, BRANDS, lived_before=before, suspected=suspected)


@pytest.mark.parametrize(
    ("kind", "followers", "wanted"),
    [
        (-1, 50, Role.OBSERVER), (-1, 500_000, Role.KOL), (0, 50, Role.VERIFIED),
        (0, 500_000, Role.KOL), (1, 50, Role.GOVERNMENT), (2, 50, Role.ENTERPRISE),
        (3, 50, Role.MEDIA), (4, 50, Role.VERIFIED), (5, 50, Role.ENTERPRISE),
        (6, 50, Role.ENTERPRISE), (7, 50, Role.VERIFIED), (200, 50, Role.VERIFIED),
        (220, 60_000, Role.KOL), (None, 50, Role.OBSERVER), (None, None, Role.OBSERVER),
        (3, 9_000_000, Role.MEDIA), (1, 9_000_000, Role.GOVERNMENT), (77, 50, Role.OBSERVER),
    ],
)  # fmt: skip
def test_what_the_platform_checked(kind: int | None, followers: int | None, wanted: Role):
    """Weibo's verified_type and the followers give a role with a reason; unknown types give none."""
    author = Author(
        id="k1:a", followers=followers, verified_type=kind, verified=kind not in (None, -1, 77)
    )
    found = judged(post("路过", author=author))
    assert found.role is wanted
    assert found.reasons
    assert 0 < found.confidence < 1


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("木槿壶", 2, Role.OFFICIAL), ("木槿壶官方微博", 2, Role.OFFICIAL),
        ("木瑾壶官方旗舰店", 2, Role.OFFICIAL), ("槿壶小助手", 7, Role.OFFICIAL),
        ("木槿壶粉丝后援会", 7, Role.VERIFIED), ("青稚茶", 2, Role.ENTERPRISE),
        ("官方", 2, Role.ENTERPRISE), ("木槿壶", 0, Role.VERIFIED), ("木槿壶", -1, Role.OBSERVER),
    ],
)  # fmt: skip
def test_official_is_checked_and_ours(name: str, kind: int, wanted: Role):
    """Only an account that the platform has checked as an organisation may be our own voice."""
    author = Author(id="k1:a", name=name, verified=kind >= 0, verified_type=kind)
    assert judged(post("新品上市", author=author)).role is wanted


CUSTOMERS = """
我昨天在木槿壶买的青提冻，喝到一半发现有塑料片
中午和同事去木槿壶万象店，点了桂花乌龙，很清爽
木槿壶南岸店等了半个小时，柠檬红茶还做错了
我妈上周在你们家买的杯子，盖子拧不上
订单号发过去三天了，客服没人理
刚下单的奶茶送到时已经洒了一半
昨晚住的大床房，空调一夜没停过响
我买的家庭装少发了两盒
已经回购三次了，味道一直稳定
要求退款，门店说要凭小票才行
外卖少送了一份，联系商家不给补
排了四十分钟队才轮到我
办入住的时候前台说没有房间了
用了两个月就坏了，售后推来推去
我家孩子喝了一口就说苦
再也不来了，态度太差
客服让我等，等到现在也没退
周末去木槿壶文化路店喝了杨梅冰茶
申请退款被拒了两次
我朋友在这家买过，我自己也买了一杯
"""
OTHERS = """
听说木槿壶喝出了塑料片，是真的吗
看到热搜说木槿壶出事了
请问木槿壶几点关门
有消费者称买了之后拉肚子
据报道，多名顾客要求退款
木槿壶必须给个说法
这个牌子是哪里的
想买木槿壶的杯子，值得吗
记者在门店看到，不少人排队半小时
支持维权，不道歉就抵制
网友爆料说店员态度恶劣
木槿壶新品什么时候上市
打算周末去木槿壶，有人一起吗
木槿壶股价今天跌了
今天木槿壶开了新店
"""
EMPLOYEES = """
我是木槿壶的店员，说几句实话
前员工来说说木槿壶的后厨
我在木槿壶上班，原料都是当天的
我们公司要求每天打卡三次，木槿壶的班真难上
木槿壶内部群里已经发通知了
区域经理让我们把过期的标签撕掉，木槿壶就这样
我以前在木槿壶实习，糖浆都是兑水的
我们门店规定剩料不能倒
"""


def test_words_tell_customers_from_others():
    """Own experience makes a customer, hearsay and questions do not; a workplace is a guess."""
    wanted = [
        (line, role)
        for lines, role in (
            (CUSTOMERS, Role.CUSTOMER), (OTHERS, Role.OBSERVER), (EMPLOYEES, Role.EMPLOYEE)
        )
        for line in lines.split()
    ]  # fmt: skip
    wrong = [
        f"{line}: {found}, not {role}"
        for line, role in wanted
        if (found := judged(post(line)).role) != role
    ]
    assert len(wanted) >= 43
    assert len(wrong) <= 0.1 * len(wanted), "\n".join(wrong)


def test_an_employee_is_only_a_guess():
    """What is suspected says so in its name, and is never surer than a coin."""
    found = judged(post("我在木槿壶上班"))
    assert str(found.role).endswith("?")
    assert found.confidence <= 0.5


def test_a_workplace_elsewhere_is_none_of_ours():
    """In a post that is not about us nobody works for us."""
    assert not authors.said("我是店员", about_us=False).works_there


@pytest.mark.parametrize(
    ("more", "wanted", "reason"),
    [
        ({"kind": Kind.TICKET, "channel": "call_centre"}, Role.CUSTOMER, "asked_us"),
        ({"kind": Kind.SMS, "channel": "sms"}, Role.CUSTOMER, "asked_us"),
        ({"kind": Kind.REVIEW}, Role.CUSTOMER, "review"),
        ({"kind": Kind.ARTICLE}, Role.MEDIA, "article"),
        ({"kind": Kind.COMMENT}, Role.OBSERVER, "no_sign"),
    ],
)
def test_where_it_was_said(more: dict[str, object], wanted: Role, reason: str):
    """Who wrote to us or reviewed what he bought is a customer; a feed's article is media."""
    found = judged(post("不太好", **more))
    assert (found.role, found.reasons) == (wanted, (reason,))


def test_a_customer_stays_one():
    """Who told of a purchase before is still a customer, less surely."""
    now, before = judged(post("我买的青提冻")), judged(post("支持"), before=True)
    assert before.role is Role.CUSTOMER
    assert before.confidence < now.confidence


def test_suspicion_never_covers_a_checked_organisation():
    """An army is suspected among people only."""
    checked = post("新品", author=Author(id="k1:a", verified=True, verified_type=1))
    assert judged(checked, suspected=True).role is Role.GOVERNMENT
    assert judged(post("好喝"), suspected=True).role is Role.SUSPECTED


def test_private_traits_are_not_read():
    """A text about sex, age, origin or health gives no reason and no role of its own."""
    plain = judged(post("木槿壶还行"))
    for text in ("我是女生，木槿壶还行", "六十岁的老人觉得木槿壶还行", "糖尿病患者觉得木槿壶还行"):
        assert judged(post(text)) == plain


@given(COUNTS, st.lists(COUNTS, max_size=30), ROLES)
def test_parts_add_up(followers: int | None, counts: list[int | None], role: Role):
    """The points of the parts are the influence to the last digit, each part in 0..1, weights 100."""
    found = influence(followers, counts, role)
    shown = sum(Decimal(str(part.points)) for part in found.parts)
    assert shown == Decimal(str(found.value))
    assert 0 <= found.value <= 100.0001
    assert sum(part.weight for part in found.parts) == pytest.approx(100, abs=0.001)
    assert {part.name for part in found.parts} | set(found.unknown) == set(WEIGHTS)
    assert ("reach" in found.unknown) == (followers is None)
    assert ("echo" in found.unknown) == all(count is None for count in counts)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.lists(COUNTS, max_size=5),
       st.sampled_from([None, -1, 0, 1, 2, 3, 7, 200, 220]), st.sampled_from(["路过", "我买的", "我是店员"]))  # fmt: skip
def test_more_followers_never_lower(
    one: int, two: int, counts: list[int | None], kind: int | None, text: str
):
    """With all else equal more followers never give less influence, also where the role changes."""

    def of(followers: int) -> float:
        author = Author(
            id="k1:a", followers=followers, verified_type=kind, verified=(kind or -1) >= 0
        )
        return influence(followers, counts, judged(post(text, author=author)).role).value

    assert of(min(one, two)) <= of(max(one, two))


@given(COUNTS, st.lists(st.integers(0, 10**7), min_size=1, max_size=25), st.integers(0, 10**6), ROLES)  # fmt: skip
def test_more_echo_never_lowers(followers: int | None, counts: list[int], more: int, role: Role):
    """Posts with more interactions each never give less influence."""
    less = influence(followers, counts, role).value
    assert less <= influence(followers, [count + more for count in counts], role).value


def test_unknown_is_left_out_and_said():
    """Unknown followers are not 0: the weights of the others grow to 100."""
    unknown, none = influence(None, [100], Role.OBSERVER), influence(0, [100], Role.OBSERVER)
    assert unknown.unknown == ("reach",)
    assert [round(part.weight, 2) for part in unknown.parts] == [66.67, 33.33]
    assert unknown.value > none.value


def test_echo_is_of_the_last_twenty():
    """An old hit does not carry for ever, and one hit is not the author's echo."""
    echo = {p.name: p.value for p in influence(0, [10**6] * 30 + [10] * 20, Role.OBSERVER).parts}
    assert echo == {p.name: p.value for p in influence(0, [10], Role.OBSERVER).parts}
    once = influence(0, [10] * 19 + [10**6], Role.OBSERVER)
    assert {p.name: p.value for p in once.parts} == echo


def test_a_kol_stands_above_whom_fewer_followers_give():
    """The role that followers give stands above all others of people: the sum stays monotone."""
    people = (Role.VERIFIED, Role.EMPLOYEE, Role.CUSTOMER, Role.OBSERVER, Role.SUSPECTED)
    assert all(STANDING[Role.KOL] >= STANDING[role] for role in people)


def test_ours_is_not_below_followers_alone():
    """On real cascades influence goes with reposts at least as well as followers do."""
    if not DATA.is_file():
        pytest.skip("../shared/data/alerts/weibo-cascades-dev is absent: no cascades to judge by")
    posts, followers, ours = correlations()
    assert posts > 1000
    assert ours >= followers


def test_rank_correlation():
    """Rank correlation of the bench on a case that is known: ties share their rank."""
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert spearman([1, 2, 2, 3], [3, 2, 2, 1]) == pytest.approx(-1)


def fold(settings: Settings, reader: Reader, engine: Engine, *posts: Post) -> list[Verdict]:
    read = list(zip(posts, reader.read([p.text or "" for p in posts], [p.title or "" for p in posts]), strict=True))  # fmt: skip
    with db.begin(engine) as tx:
        places = stories.fold(tx, posts[0].id, read, NOW)
        return speakers.fold(tx, settings.plan.brands, read, places, NOW)


def test_history_gives_the_echo(settings: Settings, reader: Reader, engine: Engine):
    """An author's earlier posts are the echo; a newer sight of a post replaces the older one."""
    first = post("木槿壶还行", engagement={"likes": 10})
    (alone,) = fold(settings, reader, engine, first)
    later = first.model_copy(
        update={
            "engagement": first.engagement.model_copy(update={"likes": 5000}),
            "collected_at": NOW + timedelta(hours=1),
        }
    )
    second = post("木槿壶的新杯子", id="weibo:2", engagement={"likes": 5000})
    grown = fold(settings, reader, engine, later, second)
    echo = {part.name: part.value for part in grown[1].speaker.influence}["echo"]
    assert alone.influence < grown[0].influence
    assert echo == {p.name: p.value for p in influence(None, [5000], Role.OBSERVER).parts}["echo"]


def test_strangers_share_nothing(settings: Settings, reader: Reader, engine: Engine):
    """Posts without an author are nobody's history."""
    a, b = (post("我买的木槿壶坏了", id="weibo:8", author={}), post("木槿壶", id="weibo:9", author={}))  # fmt: skip
    assert [v.role for v in fold(settings, reader, engine, a, b)] == [Role.CUSTOMER, Role.OBSERVER]


def test_what_a_mention_holds(settings: Settings, reader: Reader, engine: Engine):
    """Role, influence with parts, region with its basis; the region of the words wins the field."""
    made = post(
        "在青岛喝的木槿壶，等了半小时", region="江苏", author=Author(id="k1:a", followers=99)
    )
    (verdict,) = fold(settings, reader, engine, made)
    mention = Mention(
        post=made, polarity=Polarity.NEGATIVE, story=made.id, risk=40.0, scored_at=NOW,
        versions=Versions(model="m", dictionary="d", plan="p"),
    )  # fmt: skip
    told = speakers.told(mention, verdict)
    assert (told.author_role, told.influence, told.coordinated) == ("customer", verdict.influence, False)  # fmt: skip
    assert told.speaker is not None
    assert (told.post.region, told.speaker.place, told.speaker.region_basis) == ("山东", "山东青岛市", "words")  # fmt: skip
    assert told.risk == round(40 + 0.2 * verdict.influence, 4)
    assert Mention.model_validate_json(told.model_dump_json()) == told


def test_score_writes_who_speaks(tmp_path: Path):
    """A landed post becomes a Mention with role, influence and region; its file reads back."""
    plan = (ROOT / "keqing.toml").read_text(encoding="utf-8")
    (tmp_path / "keqing.toml").write_text(plan, encoding="utf-8")
    made = load_settings(tmp_path, env={"KEQING__NLP__SECOND_STAGE__MODEL": "off"})
    with Landing(made.var / "landing").writer("w", NOW, "r") as writer:
        writer.append([post("在青岛喝的木槿壶，等了半小时", region="江苏")])
    own = db.open_file(made.var / "keqing.db")
    report = score(made, own, NOW)
    own.dispose()
    (name,) = report.files
    line = gzip.decompress((made.var / "mentions" / name).read_bytes()).decode()
    mention = Mention.model_validate_json(line)
    assert (mention.author_role, mention.post.region) == ("customer", "山东")
    assert mention.speaker is not None
    assert mention.influence == round(sum(p.points for p in mention.speaker.influence), 4) > 0


def test_demo_city(settings: Settings, reader: Reader, engine: Engine):
    """Where the city knows who speaks, nine of ten roles are right; its army is suspected."""
    world = build(20261121, NOW - timedelta(days=1))
    truth = {OFFICIAL: Role.OFFICIAL, MEDIA: Role.MEDIA, BIG: Role.KOL}
    posts = [
        *_weibo(p for p in world.weibo if p.author in truth),
        *_from("demo-shop", Kind.REVIEW, world.reviews),
        *_from("demo-news", Kind.ARTICLE, world.articles),
        *_from("demo-forum", Kind.COMMENT, (c for t in world.threads if t.event == "army" for c in t.comments)),
    ]  # fmt: skip
    wanted = [_truth(p, truth) for p in posts]
    found = [verdict.role for verdict in fold(settings, reader, engine, *posts)]
    right = sum(role is want for role, want in zip(found, wanted, strict=True))
    assert {Role.OFFICIAL, Role.MEDIA, Role.KOL, Role.CUSTOMER, Role.SUSPECTED} == set(wanted)
    assert right >= 0.9 * len(posts)


def _truth(made: Post, truth: dict[int, Role]) -> Role:
    if made.source == "demo-weibo":
        return truth[int(str(made.author.id).rsplit(":", 1)[1])]
    return {"demo-shop": Role.CUSTOMER, "demo-news": Role.MEDIA, "demo-forum": Role.SUSPECTED}[made.source]  # fmt: skip


def _weibo(said: Iterator[Said]) -> Iterator[Post]:
    """As the crawler reads the city's user block."""
    for one in said:
        user = _user(one.author)
        count, kind = str(user["followers_count"]), int(str(user["verified_type"]))
        followers = float(count.removesuffix("万")) * (10_000 if count.endswith("万") else 1)
        author = Author(
            id=f"k1:weibo:{one.author}", name=str(user["screen_name"]) if kind > 0 else None,
            followers=int(followers), verified=kind >= 0, verified_type=kind,
        )  # fmt: skip
        yield post(one.text, id=f"demo-weibo:{one.id}", source="demo-weibo", author=author,
                   published_at=one.at, published_precision="second")  # fmt: skip


def _from(source: str, kind: Kind, said: Iterator[Said] | tuple[Said, ...]) -> Iterator[Post]:
    for one in said:
        yield post(one.text, id=f"{source}:{one.id}", source=source, kind=kind, title=one.title or None,
                   author=Author(id=f"k1:{source}:{one.author}"), published_at=one.at,
                   published_precision="minute")  # fmt: skip
