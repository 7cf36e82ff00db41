"""What posts say, on sentences written by the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keqing.records import Polarity
from keqing.settings import load_settings
from nlp.said import Reading
from nlp.severity import severity
from nlp.text import flat, split
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parents[2]
FIRST_STAGE = {"KEQING__NLP__SECOND_STAGE__MODEL": "off"}  # rules are judged without it


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_settings(ROOT, env=FIRST_STAGE))


def read(reader: Reader, text: str) -> Reading:
    return reader.read([text], [""])[0]


@pytest.mark.parametrize(
    ("text", "polarity"),
    [
        ("这家店的服务态度太差了，再也不来了", Polarity.NEGATIVE),
        ("等了两个小时还没送到，太让人失望了", Polarity.NEGATIVE),
        ("味道特别好，店员也很热情，推荐！", Polarity.POSITIVE),
        ("房间干净，早餐丰富，住得很舒服", Polarity.POSITIVE),
    ],
)
def test_plain_feelings_are_read(reader: Reader, text: str, polarity: Polarity) -> None:
    """A sentence that anybody would call good or bad is read so."""
    assert read(reader, text).polarity == polarity


@pytest.mark.parametrize(
    ("text", "brands", "reasons"),
    [
        ("木槿壶的青提冻不错", {"mujinhu"}, set()),
        ("周末去看木槿壶口瀑布", set(), {"EXCLUDED_PHRASE"}),
        ("木瑾壶又上新了", {"mujinhu"}, set()),
        ("青稚茶和砾岸酒店都去了", {"qingzhi", "lian"}, set()),
        ("今天天气真好", set(), set()),
    ],
)
def test_brands_are_told_from_look_alikes(
    reader: Reader, text: str, brands: set[str], reasons: set[str]
) -> None:
    """A brand counts by any of its writings; a longer excluded phrase is kept with its reason."""
    matches = read(reader, text).matches
    assert {hit.brand for hit in matches.hits} == brands
    assert {rejection.reason for rejection in matches.rejected} == reasons


def test_several_brands_are_felt_apart(reader: Reader) -> None:
    """The rival's bad clause is not ours."""
    said = read(reader, "青稚茶难喝死了，态度又差。还是木槿壶好喝，店员热情，推荐！")
    felt = {hit.brand: hit.polarity for hit in said.matches.hits}
    assert felt["qingzhi"] == Polarity.NEGATIVE
    assert felt["mujinhu"] == Polarity.POSITIVE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("喝到一半吃出塑料片", "食品安全"),
        ("充电时突然起火", "人身安全"),
        ("两人送医抢救", "伤亡"),
        ("市场监管局已经立案", "监管"),
    ],
)
def test_asserted_danger_is_sure(text: str, name: str) -> None:
    """A plain statement of danger is fit for an alarm of its own."""
    assert {hit.name for hit in severity(flat(text)) if hit.confidence >= 0.8} >= {name}


@pytest.mark.parametrize(
    "text",
    [
        "店里没有起火",
        "要是爆炸怎么办",
        "这道菜爆炸好吃",
        "消防演习模拟起火",
        "会不会漏电",
        "会爆炸吗",
    ],
)
def test_what_is_not_asserted_is_not_sure(text: str) -> None:
    """Negated, supposed, figurative and rehearsed danger never alarms alone."""
    assert all(hit.confidence < 0.8 for hit in severity(flat(text)))


def test_a_reading_does_not_depend_on_its_neighbours(reader: Reader) -> None:
    """Alone, in a batch and shuffled a text reads the same."""
    texts = ["服务太差", "木槿壶好喝", "", "😀", "起火了"]
    batch = reader.read(texts, [""] * len(texts))
    assert [read(reader, text) for text in texts] == batch
    assert reader.read(texts[::-1], [""] * len(texts))[::-1] == batch


@given(st.text(max_size=60))
def test_no_character_is_lost(text: str) -> None:
    """Own words and quoted chain are the text; flat keeps the length."""
    parts = split(text)
    assert parts.own + parts.quoted == text
    assert len(flat(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "木槿壶旁边的电影院起火了",
        "打游戏的时候木槿壶的充电宝漏电了",
        "看完剧出来，木槿壶门口有人摔伤",
    ],
)
def test_a_pastime_is_no_fiction(text: str) -> None:
    """A cinema that burns is a danger; fiction is what stands inside a film, a game, a drill."""
    assert severity(flat(text))[0].confidence >= 0.8


@pytest.mark.parametrize(
    "text",
    [
        "电影里的大楼爆炸了",
        "消防演习：三楼起火",
        "虫子咬过的叶子",
        "今天下架了旧款",
        "游戏里被偷拍",
    ],
)
def test_what_is_no_danger(text: str) -> None:
    """Scenes of fiction, drills, leaves and last season's goods stay under the alarm's confidence."""
    assert all(hit.confidence < 0.5 for hit in severity(flat(text)))


def test_a_bare_repost_carries_the_danger_on(reader: Reader) -> None:
    """转发微博 alone takes severity from what it repeats, less surely; own words speak for themselves."""
    bare = reader.read(["转发微博//@路人甲:木槿壶喝出塑料片"], [""])[0]
    own = reader.read(["木槿壶喝出塑料片"], [""])[0]
    said = reader.read(["今天天气真好//@路人甲:木槿壶喝出塑料片"], [""])[0]
    assert 0.5 <= bare.severity[0].confidence < own.severity[0].confidence
    assert said.severity == ()


def test_best_is_no_advice(reader: Reader) -> None:
    """最好喝 praises, 最好能 advises."""
    praise, advice = reader.read(["木槿壶最好喝的就是青提冻", "最好能多放点糖"], ["", ""])
    assert (praise.intent, advice.intent) == ("表扬", "建议")


def towards(reader: Reader, text: str) -> dict[str, str]:
    return {hit.brand: str(hit.polarity) for hit in read(reader, text).matches.hits}


def test_each_brand_has_its_own_words(reader: Reader) -> None:
    """A comma parts two brands; words after the first brand are its own until the second comes."""
    found = towards(reader, "青稚茶难喝死了，太失望，木槿壶味道特别好，强烈推荐")
    assert found == {"qingzhi": "negative", "mujinhu": "positive"}
    found = towards(reader, "木槿壶和青稚茶都难喝死了，太失望了")
    assert found == {"qingzhi": "negative", "mujinhu": "negative"}


def test_a_rivals_danger_is_not_ours(reader: Reader) -> None:
    """Danger in the words about a rival alone stays under the alarm; shared or ours is full."""
    assert read(reader, "青稚茶里喝出虫子，还是木槿壶好").severity[0].confidence < 0.5
    assert read(reader, "木槿壶和青稚茶都喝出虫子").severity[0].confidence >= 0.8
    assert read(reader, "木槿壶里喝出虫子，还是青稚茶好").severity[0].confidence >= 0.8


@pytest.mark.parametrize(
    "text", ["看完小说，隔壁起火了", "今天培训，酒店起火了", "吃到一只虫子", "新品被平台下架了"]
)
def test_fiction_ends_with_its_clause(text: str) -> None:
    """A novel in the clause before does not put out a fire; insects and removals in other words."""
    assert severity(flat(text))[0].confidence >= 0.8


def test_a_drill_covers_its_sentence() -> None:
    """三楼起火，其实是消防演习 alarms nobody."""
    assert severity(flat("三楼起火，其实是消防演习"))[0].confidence < 0.5
