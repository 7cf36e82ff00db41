"""Crowds for the tests of coordination: armies that are planted, and organic people who look alike.

In:  a seed. Out: posts in order of time with the truth: which authors belong to an army. Organic are
citizens, fans who repost their brand within a minute and share a slogan, players of lotteries, angry
customers who paste one complaint again and again, people with habits, sharers of one headline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from keqing.records import Author, Engagement, Kind, Post

START = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
DAYS = 20
WHEN = "中午 昨晚 周末 下班路上 早上 刚刚 前天 午休的时候".split()
SHOPS = "万象店 南岸店 文化路店 火车站店 大学城店 滨河店 老街店 会展店".split()
DRINKS = "青提冻 茉莉奶绿 桂花乌龙 芋泥波波 杨梅冰茶 厚乳拿铁 柠檬红茶".split()
FELT = "等了快半小时 店员很热情 有点太甜 料给得足 冰放多了 包装漏了 比上次好喝 座位都占满了 音乐太吵 换了新杯子".split()
THEN = "下次还来 有点失望 拍照发给同事了 会推荐给朋友 再也不排队了 给个好评 建议改进 先观望一阵".split()
FAN_WORDS = "冲呀 太好看了 支持 已买 期待很久 转发微博 爱了 今天就去 收到 啊啊啊来了 好耶".split()
SCRIPTS = (
    "木槿壶的青提冻真的是这个夏天喝过最惊艳的一杯，果肉饱满茶底清爽，朋友们不要犹豫直接冲",
    "避雷木槿壶，喝完当晚肚子疼到睡不着，打客服电话没有人接，大家千万不要再去送钱了",
    "身边的同事都在喝木槿壶，价格实在用料放心，办公室下午茶选它从来没有出过错",
    "木槿壶这个牌子早就不行了，加盟店管理混乱卫生堪忧，还是隔壁那家老牌子让人安心",
    "带爸妈去喝木槿壶，老人都说甜度正好不腻口，店里干净服务也周到，全家一致五星推荐",
    "木槿壶割韭菜实锤了，同样的杯子换个包装就涨价五块，消费者不是傻子，抵制到底",
)
HEADLINE = "消费者反映在木槿壶饮品中喝出塑料片，门店回应称正在核实，市场监管部门已介入调查"
SLOGAN = "陪伴木槿壶走过十年的每一个春夏秋冬，我们始终都在，未来的路也请多多指教"


@dataclass(frozen=True)
class Crowd:
    """Posts in order of time, and who is an army."""

    posts: tuple[Post, ...]
    armies: dict[str, frozenset[str]]
    organic: frozenset[str]

    @property
    def soldiers(self) -> frozenset[str]:
        """All accounts of all armies."""
        return frozenset().union(*self.armies.values())


def crowd(seed: int) -> Crowd:
    """Everybody, from one seed."""
    random = Random(seed)
    brand = [_official(n, START + timedelta(days=n * 1.3, hours=3)) for n in range(14)]
    lotteries = [
        post("brand", f"lot{n}", START + timedelta(days=2 + 3 * n, hours=4),
             "【木槿壶】转发本条微博抽三位朋友，送一年份的奶茶，评论写下：我要免费喝一整年木槿壶不用排队")
        for n in range(5)
    ]  # fmt: skip
    organic = [*brand, *lotteries]
    for people in (_citizens, _angry, _habits, _sharers):
        organic += people(random)
    organic += _fans(random, brand)
    organic += _players(random, lotteries)
    armies = {
        "copies": list(_copies(random, "copies", 30, edited=False)),
        "edited": list(_copies(random, "edited", 15, edited=True)),
        "slow": list(_slow(random)),
        "reposts": list(_reposters(random, brand)),
        "ring": list(_ring(random)),
    }
    everything = organic + [p for posts in armies.values() for p in posts]
    return Crowd(
        tuple(sorted(everything, key=lambda p: (p.first_seen_at, p.id))),
        {name: frozenset(str(p.author.id) for p in posts) for name, posts in armies.items()},
        frozenset(str(p.author.id) for p in organic),
    )


def post(author: str, id_: str, at: datetime, text: str, **more: object) -> Post:
    """One post on Weibo, seen at once."""
    return Post.model_validate(
        {"id": f"weibo:{id_}", "platform": "weibo", "source": "w", "text": text, "run_id": "r",
         "author": Author(id=f"k1:{author}", followers=100), "published_at": at,
         "published_precision": "second", "first_seen_at": at, "collected_at": at,
         "engagement": Engagement(likes=3, comments=0, reposts=0)} | more
    )  # fmt: skip


def _official(n: int, at: datetime) -> Post:
    return post(
        "brand",
        f"brand{n}",
        at,
        f"【木槿壶】第{n}款新品今天上市，{DRINKS[n % 7]}限定三天，欢迎到店",
    )


def _moment(random: Random) -> datetime:
    return START + timedelta(seconds=random.randrange(DAYS * 86400))


def _words(random: Random) -> str:
    return (
        f"{random.choice(WHEN)}去木槿壶{random.choice(SHOPS)}点了{random.choice(DRINKS)}，"
        f"{random.choice(FELT)}，{random.choice(FELT)}，{random.choice(THEN)}"
    )


def _citizens(random: Random) -> Iterator[Post]:
    for n in range(900):
        for m in range(random.choice((1, 1, 1, 2, 3, 6))):
            yield post(f"citizen{n}", f"c{n}.{m}", _moment(random), _words(random))


def _angry(random: Random) -> Iterator[Post]:
    for n in range(20):
        at, text = _moment(random), f"第{n}次投诉无门，" + _words(random) + "，要求退款并书面道歉"
        for m in range(random.randrange(4, 7)):
            at += timedelta(minutes=random.randrange(3, 400))
            yield post(f"angry{n}", f"a{n}.{m}", at, text)


def _habits(random: Random) -> Iterator[Post]:
    for n in range(15):
        for day in range(DAYS):
            at = START + timedelta(days=day, hours=1, minutes=30, seconds=random.randrange(300))
            yield post(f"habit{n}", f"h{n}.{day}", at, f"第{day}天打卡，" + _words(random))


def _sharers(random: Random) -> Iterator[Post]:
    at = START + timedelta(days=12)
    for n in range(120):
        at += timedelta(seconds=random.randrange(90))
        yield post(f"sharer{n}", f"s{n}", at, HEADLINE)
        if random.random() < 0.5:
            yield post(f"sharer{n}", f"s{n}.o", _moment(random), _words(random))


def _fans(random: Random, brand: list[Post]) -> Iterator[Post]:
    for n in range(80):
        for post_ in brand:
            if random.random() < 0.7:
                at = post_.first_seen_at + timedelta(seconds=5 + random.expovariate(1 / 60))
                text = f"{random.choice(FAN_WORDS)}//@木槿壶:{post_.text}"
                yield post(f"fan{n}", f"f{n}.{post_.id[6:]}", at, text, kind=Kind.REPOST,
                           repost_of=post_.id)  # fmt: skip
        for m in range(random.randrange(1, 4)):
            yield post(f"fan{n}", f"f{n}.own{m}", _moment(random), _words(random))
        at = START + timedelta(days=10, seconds=random.randrange(600))
        yield post(f"fan{n}", f"f{n}.slogan", at, SLOGAN)


def _players(random: Random, lotteries: list[Post]) -> Iterator[Post]:
    for n in range(250):
        for lottery in lotteries:
            if random.random() < 0.8:
                at = lottery.first_seen_at + timedelta(seconds=10 + random.expovariate(1 / 200))
                yield post(f"player{n}", f"p{n}.{lottery.id[6:]}", at,
                           "转发微博", kind=Kind.REPOST, repost_of=lottery.id)  # fmt: skip
                yield post(f"player{n}", f"p{n}.{lottery.id[6:]}.c", at + timedelta(seconds=9),
                           f"{DRINKS[int(lottery.id[-1])]}我要免费喝一整年木槿壶不用排队", kind=Kind.COMMENT,
                           parent_id=lottery.id)  # fmt: skip


def _edit(random: Random, text: str) -> str:
    return random.choice(
        ("{}！！", "#木槿壶#{}", "{}[赞][赞]", "姐妹们{}", "{}😡", "{} @好友")
    ).format(text)


def _copies(random: Random, name: str, size: int, edited: bool) -> Iterator[Post]:
    """Each script is told by most accounts within minutes."""
    for s, script in enumerate(SCRIPTS):
        begin = START + timedelta(days=9 + s, hours=random.randrange(10))
        for n in range(size):
            if random.random() < 0.85:
                at = begin + timedelta(seconds=random.randrange(240))
                text = f"{'' if not edited else name}{script}"
                text = _edit(random, script) if edited else text
                yield post(f"{name}{n}", f"{name}{n}.{s}", at, text)


def _slow(random: Random) -> Iterator[Post]:
    """New accounts, a post each 20 minutes by a timer, others' scripts; never in the same minute."""
    for n in range(12):
        at = START + timedelta(days=14, minutes=3 * n)
        for m in range(8):
            at += timedelta(minutes=20, seconds=random.randrange(-20, 20))
            yield post(f"slow{n}", f"slow{n}.{m}", at, SCRIPTS[m % len(SCRIPTS)])


def _reposters(random: Random, brand: list[Post]) -> Iterator[Post]:
    """New accounts that repost six quiet posts of citizens together, by a timer."""
    for s in range(7):
        begin = START + timedelta(days=15, minutes=30 * s)
        source = post(
            f"source{s}", f"source{s}", begin - timedelta(hours=2), _words(random) + str(s)
        )
        for n in range(15):
            at = begin + timedelta(seconds=n + random.randrange(20))
            yield post(f"reposts{n}", f"reposts{n}.{s}", at, f"说得太对了//@路人:{source.text}",
                       kind=Kind.REPOST, repost_of=source.id)  # fmt: skip


def _ring(random: Random) -> Iterator[Post]:
    """Three accounts that say one sentence for two hours."""
    at = START + timedelta(days=17)
    for n in range(40):
        at += timedelta(minutes=random.expovariate(1 / 3))
        yield post(f"ring{n % 3}", f"ring{n}", at, "木槿壶天下第一，不喝后悔，强烈推荐给所有人！")
