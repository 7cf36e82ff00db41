"""What a site does to a reader: things that are gone, hidden, nested, huge or written otherwise.

In:  the city's posts and threads before they get their numbers, a Random of their own (so that the
rest of the city stays what it is). Out: the same, with traps set; decoys of quiet days, which look
like a crisis and are none: a water army, a rival's crisis, a burst of praise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from demo.said import CITIZENS, OFFICIAL, Said
from demo.texts import say

DELETED, SHIELDED, VANISHED = "deleted", "shielded", "vanished"
HUGE = 1_200_000  # likes that the site writes as 100万+
ANSWERS = 0.05  # share of comments that are answered under themselves


def set_traps(random: Random, weibo: list[Said], threads: list[Said], start: datetime) -> None:
    """Change some posts, add some; every trap is there several times."""
    _delete_originals(random, weibo)
    _answer_comments(random, weibo)
    weibo.append(
        Said(start + timedelta(days=5), OFFICIAL, "【木槿壶】转发抽奖，送一年奶茶！", likes=HUGE)
    )
    quiet = [thread for thread in threads if not thread.flags and thread.at > start]
    for thread in random.sample(quiet, 4):
        thread.flags = (VANISHED,)  # still in the list, deleted when it is opened
    floors = [post for thread in threads for post in thread.comments if not post.flags]
    for post in random.sample(floors, 5):
        post.flags = (SHIELDED,)


def set_decoys(random: Random, weibo: list[Said], threads: list[Said], start: datetime) -> None:
    """Days 10, 16 and 19 of the quiet month."""
    army = _burst(random, start + timedelta(days=19), "木槿壶真的好喝吗", 40)
    for n, post in enumerate(army.comments):
        post.author, post.text = 700 + n % 3, "木槿壶天下第一，不喝后悔，强烈推荐给所有人！"
    rival = _burst(random, start + timedelta(days=16), "青稚茶又翻车了", 45)
    for post in rival.comments:
        post.text = say(random, "qingzhi", "complaint")
    army.event, rival.event = "army", "rival"
    threads += [army, rival]
    hype = Said(start + timedelta(days=10), OFFICIAL, "【木槿壶】新品首发，今天全场第二杯半价！")
    for _ in range(60):
        at = hype.at + timedelta(minutes=random.expovariate(1 / 60))
        words = say(random, "mujinhu", "praise")
        hype.comments.append(Said(at, random.randrange(5000, 8000), words))
    hype.event = "hype"
    weibo.append(hype)


def _burst(random: Random, at: datetime, title: str, replies: int) -> Said:
    thread = Said(at, random.randrange(100, 600), title, title=title, board=2)
    for _ in range(replies):
        later = at + timedelta(minutes=random.expovariate(1 / 60))
        thread.comments.append(Said(later, random.randrange(100, 600), "同问"))
    return thread


def _delete_originals(random: Random, weibo: Sequence[Said]) -> None:
    passed_on = {
        id(post.repost_of): post.repost_of
        for post in weibo
        if post.repost_of is not None and post.repost_of.author in CITIZENS
    }
    for original in random.sample(list(passed_on.values()), 4):
        original.flags = (*original.flags, DELETED)


def _answer_comments(random: Random, weibo: Sequence[Said]) -> None:
    for comment in [comment for post in weibo for comment in post.comments]:
        if random.random() < ANSWERS:
            at = comment.at + timedelta(minutes=random.expovariate(1 / 20))
            comment.comments.append(Said(at, OFFICIAL, "您好，已私信您，请留意查收。"))
