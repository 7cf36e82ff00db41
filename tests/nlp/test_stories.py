"""Which posts are one story, on sentences written by the project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keqing.records import Author, Kind, Post
from keqing.workflow import db, stories
from keqing.workflow.db import Engine
from nlp.minhash import grams, inner_set, lookup_keys, rows_with, shared
from nlp.stories import Place, fold
from nlp.understand import Reader

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LONG = (
    "昨晚和朋友去木槿壶万象店喝青提冻，排了很久的队，店员一直在聊天，叫号也叫错，拿到手已经化成水了"
)
TABLES = (stories.STORIES, stories.MEMBERS, stories.TEXTS, stories.KEYS, stories.VOICES)


class Line:
    """Folds texts as `score` does, each by an author of its own."""

    def __init__(self, reader: Reader, engine: Engine) -> None:
        self.reader, self.engine, self.batches = reader, engine, 0

    def fold(self, posts: Sequence[Post], now: datetime = NOW) -> list[Place]:
        readings = self.reader.read([p.text or "" for p in posts], [p.title or "" for p in posts])
        self.batches += 1
        with db.begin(self.engine) as tx:
            return fold(tx, f"b{self.batches}", list(zip(posts, readings, strict=True)), now)

    def stories(self, *texts: str) -> list[str]:
        return [place.story for place in self.fold([post(str(n), t) for n, t in enumerate(texts)])]


@pytest.fixture
def line(reader: Reader, engine: Engine) -> Line:
    return Line(reader, engine)


def post(
    id_: str, text: str, author: str | None = None, at: datetime = NOW, **more: object
) -> Post:
    return Post.model_validate(
        {"id": f"x:{id_}", "platform": "x", "source": "x", "text": text, "run_id": "r",
         "author": Author(id=f"k1:{author or id_}"), "published_at": at, "first_seen_at": at,
         "collected_at": at} | more
    )  # fmt: skip


@pytest.mark.parametrize(
    "copy",
    [
        LONG + "！！！[怒][怒]😡",
        "转发微博//@小鱼干:" + LONG,
        "#今日吐槽#" + LONG,
        "昨晚和朋友去木槿壶萬象店喝青提凍，排了很久的隊，店員一直在聊天，叫號也叫錯，拿到手已經化成水了",
        LONG[: len(LONG) * 7 // 10],
        LONG.replace("聊天", "聊夭"),
        LONG + " https://t.cn/A6abcdef @木槿壶",
    ],
)
def test_a_copy_is_no_new_story(line: Line, copy: str) -> None:
    """Emoji, a repost prefix, a tag, traditional characters, a cut, a typo: still the same words."""
    assert line.stories(LONG, copy) == ["x:0", "x:0"]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("木槿壶万象店说只肯赔500元，大家觉得合理吗，要不要继续谈", "木槿壶万象店说只肯赔5000元，大家觉得合理吗，要不要继续谈"),
        ("木槿壶万象店后厨昨晚起火了，消防车来了，附近的路都封了", "木槿壶万象店后厨昨晚没有起火，消防车来了，附近的路都封了"),
        ("没有起火，木槿壶万象店后厨昨晚只是冒烟，附近的路很快就通了", "起火，木槿壶万象店后厨昨晚只是冒烟，附近的路很快就通了"),
        ("木槿壶的新品我们一家三口都觉得味道很正，服务也热情周到", "青稚茶的新品我们一家三口都觉得味道很正，服务也热情周到"),
        ("门店通知十二月三日起调整营业时间，请大家互相转告，谢谢理解", "门店通知十二月九日起调整营业时间，请大家互相转告，谢谢理解"),
        ("排队三个小时才喝到木槿壶，这家万象店的服务真是一言难尽", "排队五个小时才喝到木槿壶，这家万象店的服务真是一言难尽"),
    ],
)  # fmt: skip
def test_other_facts_are_another_story(line: Line, one: str, other: str, swapped: bool) -> None:
    """However many words they share: another amount, date, brand, or a denial is not a copy."""
    assert line.stories(*((other, one) if swapped else (one, other))) == ["x:0", "x:1"]


def test_a_denial_behind_the_whole_is_no_copy(line: Line) -> None:
    """Who quotes it all and denies it in the end tells another story; a cut of the denial does not."""
    rumour = "听说木槿壶万象店昨晚后厨起火，附近的路都封了，消防车来了好多辆"
    assert line.stories(rumour, rumour + "。官方回应没有起火") == ["x:0", "x:1"]


@pytest.mark.parametrize("praise", ["非常好吃", "味道不错下次还来", "此用户没有填写评价。"])
def test_short_praise_is_nobody_s_copy(line: Line, praise: str) -> None:
    """What many write by themselves folds into nothing; ten letters fold when they are equal."""
    assert line.stories(praise, praise) == ["x:0", "x:1"]


def test_under_twelve_letters_only_equal_ones_fold(line: Line) -> None:
    """A short sentence with one letter changed is another one."""
    texts = ("木槿壶今天上新了三款", "木槿壶今天上新了三款！", "木槿壶今天上新了几款")
    assert line.stories(*texts) == ["x:0", "x:0", "x:2"]


def test_a_copy_is_compared_with_the_first_text_only(line: Line) -> None:
    """Small changes after each other do not lead from one story into another."""
    texts, text = [LONG], list(LONG)
    for at in range(4, 44, 5):
        text[at] = "某"
        texts.append("".join(text))
    found = line.stories(*texts)
    assert found[1] == "x:0"
    assert found[-1] != "x:0"


def test_near_copies_fold_for_a_week(line: Line) -> None:
    """Eight days later a near-copy is news again, an equal text is not."""
    line.fold([post("a", LONG)])
    later = NOW + timedelta(days=8)
    typo = post("b", LONG.replace("聊天", "聊夭"), at=later)
    same = post("c", LONG, at=later)
    assert [place.story for place in line.fold([typo, same], later)] == ["x:b", "x:a"]


def test_a_near_copy_joins_across_batches(line: Line) -> None:
    """What an earlier batch opened is joined by a later one."""
    line.fold([post(f"n{n}", f"路过第{n}家店，{LONG[n:]}") for n in range(5)])
    line.fold([post("a", LONG)])
    assert line.fold([post("b", LONG[:-4])])[0].story == "x:a"


def test_roles_and_voices(line: Line) -> None:
    """The first is the original, a linked one a repost, another's same words a copy; one voice an author."""
    posts = [
        post("a", LONG, "anna"),
        post("b", LONG, "ben"),
        post("c", "转发微博", "cai", kind=Kind.REPOST, repost_of="x:b"),
        post("d", "转发微博", "cai", repost_of="x:c"),
        post("e", "转发微博//@anna:" + LONG, "dora"),
    ]
    places = line.fold(posts)
    assert [place.story for place in places] == ["x:a"] * 5
    assert [place.role for place in places] == ["original", "copy", "repost", "repost", "repost"]
    assert [place.voice for place in places] == [True, True, True, False, True]
    assert line.fold([post("f", "转发微博", "eva", repost_of="x:b")])[0].story == "x:a"


def test_a_repost_of_what_nobody_saw_stands_with_it(line: Line) -> None:
    """Reposts of an unseen post are one story under its id, also in a circle."""
    places = line.fold([
        post("a", "转发微博", repost_of="x:gone"),
        post("b", "", repost_of="x:gone"),
        post("c", "转发微博", repost_of="x:d"),
        post("d", "转发微博", repost_of="x:c"),
    ])  # fmt: skip
    assert [place.story for place in places[:2]] == ["x:gone", "x:gone"]
    assert all(place.story in ("x:c", "x:d") for place in places[2:])


def test_a_post_seen_again_keeps_its_story(line: Line) -> None:
    """A second snapshot, also an edited one, stays in the story that the post opened."""
    first = line.fold([post("a", LONG), post("a", LONG)])
    again = line.fold([post("a", LONG), post("b", LONG)])
    edited = line.fold([post("a", "全部改掉：木槿壶万象店已经退款并且道歉，店长也打了电话来")])
    assert [p.story for p in (*first, *again, *edited)] == ["x:a"] * 5
    assert [p.voice for p in (*first, *again, *edited)] == [True, True, True, True, True]


def test_a_replay_of_the_batches_gives_the_same(line: Line, engine: Engine) -> None:
    """With the tables emptied and the same batches again every place comes out the same."""
    random = Random(3)
    batches = [
        [post(f"{b}-{n}", _edited(random, LONG[n % 9 :]), f"{n % 5}") for n in range(30)]
        for b in range(4)
    ]
    moments = [NOW + timedelta(days=3 * b) for b in range(4)]
    first = [line.fold(posts, at) for posts, at in zip(batches, moments, strict=True)]
    with db.begin(engine) as tx:
        for table in TABLES:
            tx.execute(table.delete())
    line.batches = 0
    assert [line.fold(posts, at) for posts, at in zip(batches, moments, strict=True)] == first
    assert len({place.story for places in first for place in places}) < 100


def test_the_order_inside_a_batch_does_not_matter(line: Line) -> None:
    """The earliest telling names the story, wherever it stands in its batch; places keep their posts."""
    copy = LONG + "！！！[怒]"
    late, early = post("a", copy, at=NOW + timedelta(minutes=9)), post("b", LONG, at=NOW)
    other = post("c", "木槿壶的优惠券又用不了，客服一直不回", at=NOW + timedelta(minutes=5))
    places = line.fold([late, other, early])
    assert [place.story for place in places] == ["x:b", "x:c", "x:b"]
    assert [place.role for place in places] == ["copy", "original", "original"]


def _edited(random: Random, text: str) -> str:
    at = random.randrange(len(text) - 2)
    return text[:at] + random.choice("天地人和") + text[at + 1 :]


def test_an_empty_batch_folds(line: Line) -> None:
    """No posts, and posts without a word, are no trouble."""
    assert line.fold([]) == []
    assert line.stories("", "[怒][怒]", "😀") == ["x:0", "x:1", "x:2"]


@given(
    st.lists(
        st.text(alphabet="甲乙丙丁戊己庚辛", min_size=12, max_size=40), min_size=1, max_size=12
    )
)
def test_what_is_compared_depends_on_the_text_alone(texts: list[str]) -> None:
    """In any company a text has the same 4-grams and lookup keys, and shares all with itself."""
    together = grams(texts)
    keys = lookup_keys(texts, together)
    for n, text in enumerate(texts):
        alone = grams([text])
        assert alone.sequence(0).tolist() == together.sequence(n).tolist()
        assert alone.set(0).tolist() == inner_set(together.sequence(n)).tolist()
        assert lookup_keys([text], alone)[0].tolist() == keys[n].tolist()
        assert len(alone.set(0)) == len({text[at : at + 4] for at in range(len(text) - 3)})
        assert shared(alone.set(0), together.set(n)) == len(alone.set(0))
        assert n in rows_with(keys, lookup_keys([text], alone).reshape(-1))


def test_a_text_without_grams_is_refused() -> None:
    """Three letters have no 4-gram; whoever asks for them is told."""
    with pytest.raises(ValueError, match="4 letters"):
        grams(["三个字"])
