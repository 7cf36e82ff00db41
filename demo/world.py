"""Everything that is ever said in the city, decided by a seed: the same seed is the same city.

In:  seed, T0 (begin of the crisis). Out: posts, threads, reviews, articles in order of time, from 28
days before T0 to 14 days after. What is visible at a moment is what was said by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from demo.said import BIG, CITIZENS, MEDIA, OFFICIAL, Said, name_of
from demo.texts import book, say, script
from demo.traps import set_decoys, set_traps

__all__ = ["BIG", "MEDIA", "OFFICIAL", "PROVINCES", "Said", "World", "build", "name_of"]

QUIET_DAYS, FUTURE_DAYS = 28, 14
HOURS = (.4, .2, .1, .1, .1, .2, .4, .8, 1.1, 1.2, 1.2, 1.5, 1.6, 1.2, 1.1, 1.1, 1.2, 1.4, 1.6,
         1.6, 1.7, 1.6, 1.2, .8)  # fmt: skip
BRANDS = (("mujinhu", 40), ("lian", 18), ("beichuang", 24), ("qingzhi", 8), ("other", 10))
KINDS = (("praise", 38), ("neutral", 46), ("complaint", 16))
OTHER = (("homonym", 20), ("spam", 15), ("life", 65))
PROVINCES = ("山东", "江苏", "浙江", "广东", "北京", "上海", "四川", "福建")


@dataclass(frozen=True)
class World:
    """The city's whole past and future."""

    weibo: tuple[Said, ...]
    threads: tuple[Said, ...]
    reviews: tuple[Said, ...]  # `board` is the product's number
    articles: tuple[Said, ...]
    topics: tuple[Said, ...]


def build(seed: int, t0: datetime) -> World:
    """The city of a seed."""
    random = Random(seed)
    start, end = t0 - timedelta(days=QUIET_DAYS), t0 + timedelta(days=FUTURE_DAYS)
    weibo = _timelines(random, start, end)
    threads = _forum(random, start, end)
    hot = _crisis(random, t0, weibo, threads)
    weibo += hot
    set_traps(Random(f"traps {seed}"), weibo, threads, start)
    set_decoys(Random(f"decoys {seed}"), weibo, threads, start)
    for number, post in enumerate(sorted(weibo, key=lambda p: (p.at, p.author))):
        post.id = (
            5_200_000_000_000_000 + int(post.at.timestamp() - 1_700_000_000) * 1000 + number % 1000
        )
        for n, reply in enumerate(sorted(post.comments, key=lambda c: c.at)):
            reply.id = post.id + 10_000_000_000 + n
            for m, answer in enumerate(reply.comments):
                answer.id = reply.id + 20_000_000_000 + m
        post.comments.sort(key=lambda c: c.at)
    _number(threads)
    articles = _news(random, start, end, t0)
    reviews = _reviews(random, start, end)
    topics = _topics(Random(f"topics {seed}"), start, end)
    return World(
        tuple(sorted(weibo, key=lambda p: p.id)), tuple(threads), reviews, articles, topics
    )


def moments(random: Random, start: datetime, end: datetime, per_day: float) -> list[datetime]:
    """Moments with the day's and the week's rhythm; hours are Beijing's."""
    found, at = [], start
    while at < end:
        local = (at.hour + 8) % 24
        weekend = 1.2 if at.weekday() >= 5 else 1.0
        expected = per_day / 24 * HOURS[local] * weekend
        count = int(expected) + (random.random() < expected % 1)
        found += [at + timedelta(seconds=random.randrange(3600)) for _ in range(count)]
        at += timedelta(hours=1)
    return sorted(found)


def _pick(random: Random, shares: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in shares], [share for _, share in shares])[0]


def _utter(random: Random) -> str:
    brand = _pick(random, BRANDS)
    return say(random, brand, _pick(random, OTHER if brand == "other" else KINDS))


def _timelines(random: Random, start: datetime, end: datetime) -> list[Said]:
    posts: list[Said] = []
    for at in moments(random, start, end, 30):
        post = Said(at, random.choice(CITIZENS), _utter(random), likes=random.randrange(60))
        if posts and random.random() < 0.06:
            original = random.choice(posts[-20:])
            if original.repost_of is None:
                post = Said(at, post.author, random.choice(("转发微博", "说得对", "马住")))
                post.repost_of = original
        posts.append(post)
        for _ in range(random.choice((0, 0, 0, 0, 1, 2))):
            post.comments.append(_reply(random, at, end, "reply"))
    for at in moments(random, start, end, 1.5):
        text = "【木槿壶】" + say(random, "mujinhu", "praise")
        posts.append(Said(at, OFFICIAL, text, likes=random.randrange(2000)))
    posts.append(
        Said(start, OFFICIAL, "欢迎来到木槿壶官方微博！客服电话 400-000-0000", flags=("pinned",))
    )
    long = "木槿壶十周年的故事。" + "从一间小铺开始，每一杯都认真做。" * 14
    posts.append(Said(start + timedelta(days=3), OFFICIAL, long, flags=("long",)))
    return posts


def _reply(random: Random, at: datetime, end: datetime, kind: str) -> Said:
    later = at + timedelta(minutes=random.expovariate(1 / 90))
    return Said(min(later, end), random.randrange(5000, 8000), say(random, "other", kind))


def _forum(random: Random, start: datetime, end: datetime) -> list[Said]:
    threads = []
    for at in moments(random, start, end, 6):
        text = _utter(random)
        thread = Said(
            at, random.randrange(100, 600), text, title=text[:22], board=random.choice((2, 3))
        )
        for _ in range(random.choice((0, 1, 2, 3, 4, 6, 9))):
            words = say(random, "other", "reply") if random.random() < 0.7 else _utter(random)
            later = at + timedelta(minutes=random.expovariate(1 / 200))
            flags = random.choices(
                ((), ("anonymous",), ("edited",), ("quote",), ("banned",)), (80, 6, 6, 6, 2)
            )[0]
            thread.comments.append(Said(later, random.randrange(100, 600), words, flags=flags))
        threads.append(thread)
    rules = Said(
        start, 1, "请文明发言，禁止广告。", title="版规（置顶）", board=2, flags=("sticky",)
    )
    secret = Said(start, 1, "内部", title="管理员公告", board=3, flags=("noperm",))
    return [rules, secret, *threads]


def _crisis(random: Random, t0: datetime, weibo: list[Said], threads: list[Said]) -> list[Said]:
    """Threads, posts and the flood of comments; the new Weibo posts are given back."""
    plan = script()

    def minute(n: float) -> datetime:
        return t0 + timedelta(minutes=n)

    thread = Said(minute(plan["first_thread"]), 321, say(random, "mujinhu", "crisis"),
                  title="木槿壶万象店喝出塑料片，求助怎么维权", board=3)  # fmt: skip
    threads.append(thread)
    first = Said(minute(plan["first_weibo"]), 1010, say(random, "mujinhu", "crisis"), likes=300)
    big = Said(minute(plan["big_repost"]), BIG, "木槿壶怎么回事？青提冻里喝出塑料片，太离谱了[怒]",
               likes=5000, reposts=1200)  # fmt: skip
    big.repost_of = first
    press = Said(minute(plan["media"]), MEDIA, str(book()["news"]["crisistitle"]), likes=3000)
    answer = Said(minute(plan["statement"]), OFFICIAL,
                  "【声明】已封存涉事门店原料，配合调查，凭小票全额退款，向大家致歉。")  # fmt: skip
    hot = [first, big, press, answer]
    for post in (thread, *hot):
        post.event = "crisis"
    steps = [*plan["voices_per_hour"], [plan["calm"], 0]]
    for (begin, rate), (until, _) in pairwise(steps):
        for _ in range(round(rate * (until - begin) / 60)):
            at = minute(begin + random.random() * (until - begin))
            _voice(random, at, hot, thread, weibo)
    return hot


def _voice(random: Random, at: datetime, hot: list[Said], thread: Said, weibo: list[Said]) -> None:
    author = random.randrange(8000, 20000)
    open_posts = [post for post in hot if post.at < at]
    if not open_posts or random.random() < 0.2:
        words = say(random, "mujinhu", "crisis") if random.random() < 0.5 else say(
            random, "other", "replycrisis")  # fmt: skip
        thread.comments.append(Said(at, author, words))
    elif random.random() < 0.15:
        author, words = random.choice(CITIZENS), say(random, "mujinhu", "crisis")
        weibo.append(Said(at, author, words, event="crisis"))
    else:
        kind = ("mujinhu", "crisis") if random.random() < 0.3 else ("other", "replycrisis")
        random.choice(open_posts).comments.append(Said(at, author, say(random, *kind)))


def _number(threads: list[Said]) -> None:
    threads.sort(key=lambda thread: thread.at)
    for n, thread in enumerate(threads):
        thread.id = 100 + n
        thread.comments.sort(key=lambda post: post.at)
        for m, post in enumerate(thread.comments):
            post.id = (100 + n) * 1000 + m + 1


def _news(random: Random, start: datetime, end: datetime, t0: datetime) -> tuple[Said, ...]:
    items = [
        Said(at, MEDIA, say(random, "news", "body"), title=say(random, "news", "title"))
        for at in moments(random, start, end, 2)
    ]
    book_ = book()["news"]
    at = t0 + timedelta(minutes=script()["media"])
    press = Said(at, MEDIA, book_["crisisbody"], title=book_["crisistitle"], event="crisis")
    items.append(press)
    items.sort(key=lambda item: item.at)
    for n, item in enumerate(items):
        item.id = n + 1
    return tuple(items)


def _reviews(random: Random, start: datetime, end: datetime) -> tuple[Said, ...]:
    found = []
    for n, at in enumerate(moments(random, start, end, 5)):
        kind = _pick(random, KINDS)
        stars = {"praise": 5, "neutral": 3, "complaint": 1}[kind]
        text = say(random, "mujinhu", kind) if random.random() < 0.95 else "此用户没有填写评价。"
        found.append(Said(at, random.randrange(100, 900), text, id=n + 1, rating=stars,
                          board=random.choice((1, 2, 3))))  # fmt: skip
    return tuple(found)


def _topics(random: Random, start: datetime, end: datetime) -> tuple[Said, ...]:
    found = []
    for n, at in enumerate(moments(random, start, end, 1)):
        text = _utter(random)
        topic = Said(at, random.randrange(100, 300), text, id=n + 1, title=text[:22])
        for _ in range(random.choice((0, 1, 2, 5, 12, 30))):
            later = at + timedelta(minutes=random.expovariate(1 / 300))
            words = say(random, "other", "reply")
            topic.comments.append(Said(later, random.randrange(100, 300), words))
        topic.comments.sort(key=lambda post: post.at)
        for m, post in enumerate(topic.comments):
            post.id = topic.id * 1000 + m + 2
        found.append(topic)
    return tuple(found)
