"""Clauses, cues, opinions and what rests on them: aspects, intents, emotion, sarcasm, towards."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keqing.errors import ModelError
from keqing.records import Polarity
from keqing.settings import Brand, load_settings
from nlp import frames, lexicon
from nlp.aspects import aspects
from nlp.clauses import Clauses
from nlp.cues import KINDS, scan
from nlp.emotion import emotion
from nlp.rules import signs
from nlp.said import Reading
from nlp.sarcasm import doubted, sarcasm
from nlp.text import flat
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parents[2]
FIRST_STAGE = {"KEQING__NLP__SECOND_STAGE__MODEL": "off"}  # rules are judged without it
WORDS = st.sampled_from(
    [
        "好喝",
        "不",
        "难喝",
        "，",
        "。",
        "但",
        "不过",
        "？",
        "//@",
        "退款",
        "[怒]",
        "起火",
        "吗",
        "\n",
        "a1",
        "😡",
    ]
)
TEXTS = st.lists(WORDS | st.characters(exclude_categories=["Cs"]), max_size=25).map("".join)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_settings(ROOT, env=FIRST_STAGE))


def read(reader: Reader, text: str, title: str = "") -> Reading:
    return reader.read([text], [title])[0]


def felt(said: Reading) -> dict[str, str]:
    return {hit.brand: str(hit.polarity) for hit in said.matches.hits}


@given(TEXTS)
def test_clauses_lose_no_character(text: str) -> None:
    """Clauses stand one behind the other and are the text; each lies in its sentence."""
    parts = Clauses(text)
    spans = [parts.span(n) for n in range(len(parts))]
    assert "".join(text[start:stop] for start, stop in spans) == text
    for n, (start, stop) in enumerate(spans):
        first, last = parts.sentence(n)
        assert first <= start <= stop <= last
        assert start == stop or parts.at(start) == n


@given(TEXTS)
def test_cues_are_where_they_say(text: str) -> None:
    """A cue's place holds its term, and no cue of opinion lies within another."""
    plain = flat(text)
    found = scan(plain)
    assert set(found) <= set(KINDS)
    assert all(plain[c.start : c.end] == c.entry.term for cues in found.values() for c in cues)
    held = found.get("opinion", [])
    assert all(a.start < b.start and a.end <= b.end for a, b in pairwise(held))


@given(TEXTS)
def test_a_text_of_any_kind_is_read(text: str) -> None:
    """No text breaks a rule; spans of aspects lie within the text that carries them."""
    held = signs("标题", text)
    sarcasm(held)
    emotion(held, Polarity.NEGATIVE, "无")
    for hit in aspects(held, Polarity.NEGATIVE):
        assert 0 <= hit.start < hit.end <= len(text if hit.where == "text" else "标题\n")


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("好喝", 1.0), ("不好喝", -1.0), ("一点都不好喝", -1.0), ("不难喝", 0.5), ("没有不好喝的", 0.5),
        ("不要太好喝", 2.0), ("不得不说好喝", 1.0), ("好喝才怪", -1.0), ("谈不上好喝", -1.0),
        ("别家好喝", 1.0), ("不贵", 0.5), ("差不多", 0.0), ("贵宾室", 0.0), ("心脏", 0.0),
    ],
)  # fmt: skip
def test_negation_turns_words(text: str, weight: float) -> None:
    """Blame and praise turn around behind a negator, and only behind one."""
    assert sum(one.weight for one in signs("", text).opinions) == weight


def test_an_aspect_carries_its_clause() -> None:
    """Each aspect has its clause's span and polarity, in the masked text or the title."""
    text = "木槿壶味道很好，但是配送超时，骑手态度冷漠"
    hits = {hit.name: hit for hit in aspects(signs("", text), Polarity.NEGATIVE)}
    assert {name: str(hit.polarity) for name, hit in hits.items()} == {
        "品质": "positive", "物流": "negative", "尊重": "negative",
    }  # fmt: skip
    spans = {name: text[hit.start : hit.end] for name, hit in hits.items()}
    assert spans["品质"] == "木槿壶味道很好，"
    assert spans["尊重"] == "骑手态度冷漠"
    titled = aspects(signs("退款三个月", "客服没人接"), Polarity.NEGATIVE)
    assert [(h.where, h.start, h.term) for h in titled] == [
        ("title", 0, "退款"),
        ("text", 0, "客服"),
    ]


def test_a_reply_and_a_chain_carry_no_aspect_of_their_own() -> None:
    """Only the author's words count; spans skip the name that is answered."""
    text = "回复@贵客:价格太贵 //@路人:客服不理人"
    (hit,) = aspects(signs("", text), Polarity.NEGATIVE)
    assert (hit.name, text[hit.start : hit.end].strip()) == ("价格", "回复@贵客:价格太贵")


def test_a_negative_post_has_an_aspect_or_none(reader: Reader) -> None:
    """Blame about nothing in the list is `none`; praise about nothing has no aspect at all."""
    said = reader.read(["垃圾垃圾，滚", "今天开会", "态度太差了，再也不来了"], ["", "", ""])
    assert said[0].polarity == Polarity.NEGATIVE
    assert [one.aspects for one in said] == [("none",), (), ("尊重",)]


def test_words_inside_a_brand_say_nothing() -> None:
    """A brand called 好喝茶铺 is not praised, nor a shop, by its name."""
    settings = load_settings(ROOT, env=FIRST_STAGE)
    brands = {**settings.plan.brands, "tea": Brand(name="好喝茶铺门店", aliases=("好喝茶铺门店",))}
    plan = settings.plan.model_copy(update={"brands": brands})
    named = Reader(settings.model_copy(update={"plan": plan}))
    said = named.read(["好喝茶铺门店今天开会"], [""])[0]
    assert said.matches.hits[0].brand == "tea"
    assert (said.aspects, said.intents) == ((), ())


def test_one_brand_has_the_posts_polarity(reader: Reader) -> None:
    """Without a rival and a frame the classifier's answer for the whole post is the brand's."""
    texts = ["木槿壶今天排队，真冷", "砾岸酒店的早餐不错，但房间很吵", "北窗外卖送来了", "木槿壶"]
    for said in reader.read(texts, [""] * len(texts)):
        assert {hit.polarity for hit in said.matches.hits} == {said.polarity}


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("竞品太差了，还是木槿壶好", "positive"),
        ("青稚茶又贵又难喝，木槿壶便宜好喝", "positive"),
        ("青稚茶喝出虫子，气死我了，木槿壶干净好喝", "positive"),
        ("隔壁那家态度恶劣，木槿壶店员热情", "positive"),
        ("青稚茶难喝得要命，木槿壶今天开门", "neutral"),
    ],
)
def test_a_rivals_blame_is_never_ours(reader: Reader, text: str, ours: str) -> None:
    """竞品差、我们好 must not count against us."""
    found = felt(read(reader, text))["mujinhu"]
    assert found != "negative"
    assert found == ours or ours == "neutral"


def test_what_only_a_rival_is_blamed_for_is_no_aspect_of_ours(reader: Reader) -> None:
    """Aspects of the rival's clauses stay with their brand, out of the post's aspects."""
    said = read(reader, "青稚茶配送超时。木槿壶味道很好")
    assert said.aspects == ("品质",)
    assert {hit.name: hit.brand for hit in said.aspect_hits} == {
        "物流": "qingzhi",
        "品质": "mujinhu",
    }


def test_the_order_of_brands_in_the_plan_does_not_matter(reader: Reader) -> None:
    """A plan read from the other end gives the same polarities."""
    settings = load_settings(ROOT, env=FIRST_STAGE)
    turned = dict(reversed(list(settings.plan.brands.items())))
    plan = settings.plan.model_copy(update={"brands": turned})
    other = Reader(settings.model_copy(update={"plan": plan}))
    texts = [
        "青稚茶不如木槿壶",
        "木槿壶和青稚茶都难喝",
        "从青稚茶换到木槿壶",
        "在北窗外卖点木槿壶，太慢",
    ]
    assert [felt(read(reader, text)) for text in texts] == [
        felt(read(other, text)) for text in texts
    ]


def test_traditional_and_simplified_say_the_same(reader: Reader) -> None:
    """Twins in both scripts give equal aspects, intents, severity and polarities."""
    twins = [
        ("木槿壶态度恶劣，要求退款", "木槿壺態度惡劣，要求退款"),
        ("青稚茶不如木槿壶", "青稚茶不如木槿壺"),
        ("店里起火，有人受伤送医院", "店裡起火，有人受傷送醫院"),
    ]
    for one, other in twins:
        first, second = reader.read([one, other], ["", ""])
        assert (first.aspects, first.intents, first.severity, felt(first)) == (
            second.aspects, second.intents, second.severity, felt(second),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("请问木槿壶几点关门？", ("咨询",)),
        ("建议木槿壶出小杯，能不能少放点糖", ("建议",)),
        ("求助！北窗外卖扣了两次钱怎么办", ("求助",)),
        ("已经打了12315，木槿壶给个说法", ("投诉",)),
        ("低价代充木槿壶会员，加微信[微信]", ("广告",)),
        ("网传木槿壶倒闭", ("谣言转述",)),
        ("", ()),
    ],
)
def test_intents_are_read(reader: Reader, text: str, intents: tuple[str, ...]) -> None:
    """The primary intent is the strongest one said."""
    assert read(reader, text).intents[:1] == intents


def test_several_intents_stand_by_priority(reader: Reader) -> None:
    """投诉 comes before 求助 and 建议, whatever stands first."""
    said = read(reader, "建议改进，在线等怎么办，不然我就投诉到12315")
    assert said.intents == ("投诉", "求助", "建议")
    assert said.intent == "投诉"


def test_an_advert_is_never_negative(reader: Reader) -> None:
    """What sells is no voice against a brand; a complaint about an advert still is."""
    advert = read(reader, "木槿壶太难喝别买了！低价出优惠券，量大从优，加微信[微信]")
    assert advert.intents == ("广告",)
    assert advert.polarity != Polarity.NEGATIVE
    assert advert.p[0] == 0.0
    assert felt(advert)["mujinhu"] != "negative"
    told = read(reader, "木槿壶客服让我加微信[微信]领红包，结果是骗子，已经投诉，太恶心了")
    assert told.intent == "投诉"
    assert told.polarity == Polarity.NEGATIVE


def test_sarcasm_never_turns_a_polarity(reader: Reader) -> None:
    """The flag halves the lead of the best class and leaves it the best."""
    for p in ((0.1, 0.2, 0.7), (0.3333, 0.3334, 0.3333), (0.0, 0.0, 1.0), (0.05, 0.9, 0.05)):
        less = doubted(p)
        assert sum(less) == pytest.approx(1.0)
        assert max(range(3), key=less.__getitem__) == max(range(3), key=p.__getitem__)
        lead, before = (sorted(x)[-1] - sorted(x)[-2] for x in (less, p))
        assert lead == pytest.approx(before / 2, abs=2e-4)
    text = "感谢木槿壶，服务真贴心，让我等了两个小时"
    said, (scores, _) = read(reader, text), reader.parts.cascade.score([text])
    assert said.sarcasm == ("praise_with_trouble",)
    assert said.polarity == scores.polarity[0]


@pytest.mark.parametrize(
    "text",
    ["味道很好，但是等了很久", "谢谢店员，好喝", "呵呵", "感谢木槿壶", "店员热情，环境干净，推荐"],
)
def test_plain_praise_is_no_sarcasm(text: str) -> None:
    """Praise and blame that a turning word parts, or thanks alone, mean what they say."""
    assert sarcasm(signs("", text)) == ()


def test_emotion_does_not_contradict_the_polarity() -> None:
    """A glad head on a negative post gives way to the words; a sad one on praise to joy."""
    angry = signs("", "气死我了，骗子")
    assert emotion(angry, Polarity.NEGATIVE, "喜悦") == "愤怒"
    assert emotion(angry, Polarity.NEGATIVE, "悲伤") == "悲伤"
    assert emotion(signs("", "好喝"), Polarity.POSITIVE, "愤怒") == "喜悦"
    assert emotion(signs("", "今天开门"), Polarity.NEUTRAL, "无") == "无"
    assert emotion(signs("", "感谢让我等了两个小时"), Polarity.NEGATIVE, "喜悦") == "无"


def test_frames_without_brands_say_nothing() -> None:
    """No brand, no verdict; one brand is never compared with itself."""
    assert frames.verdicts("不如去喝茶", []) == {}
    assert frames.verdicts("木槿壶比木槿壶好喝", [(0, 3, "m"), (4, 7, "m")]) == {}


def test_every_frame_reads_some_sentence() -> None:
    """Each pattern compiles and names brands it really captures."""
    for frame in frames._frames():
        assert {group for group, _ in frame.says} <= set(frame.pattern.groupindex)


@pytest.mark.parametrize("line", ["一列", "好\t多少\t-\t-\t词", "好\t1\t-\t词"])
def test_a_broken_list_says_which(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    """A line with other columns, or a value that is no number, names its file."""
    (tmp_path / "broken.tsv").write_text(f"# name\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(lexicon, "FOLDER", tmp_path)
    lexicon.rows.cache_clear()
    with pytest.raises(ModelError, match=r"broken\.tsv"):
        lexicon.entries.__wrapped__("broken")
    lexicon.rows.cache_clear()


def test_a_trade_has_words_of_its_own(tmp_path: Path) -> None:
    """Lists beside keqing.toml add terms and take the place of shipped ones; the version tells."""
    own = tmp_path / "lexicons"
    own.mkdir()
    (own / "severity.tsv").write_text(
        "# our trade\n人身安全\t0.9\t-\t-\t锅炉超压\n人身安全\t0.1\t-\t-\t漏电\n", encoding="utf-8"
    )
    (own / "aspects.tsv").write_text("实用\t-1\t-\t-\t柜台机死机\n", encoding="utf-8")
    settings = load_settings(ROOT, env=FIRST_STAGE)
    trade = Reader(settings.model_copy(update={"root": tmp_path}))
    shipped = Reader(settings)
    text = "锅炉超压了，插座漏电，柜台机死机"
    ours, theirs = read(trade, text), read(shipped, text)
    assert {hit.term: hit.confidence for hit in ours.severity} == {"锅炉超压": 0.9}
    assert {hit.term: hit.confidence for hit in theirs.severity} == {"漏电": 0.9}
    assert "柜台机死机" in {hit.term for hit in ours.aspect_hits}
    assert trade.versions.rules != shipped.versions.rules
    assert trade.versions.dictionary == shipped.versions.dictionary


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("severity", "人身安全\t1.5\t-\t-\t锅炉超压", "between 0 and 1"),
        ("severity", "人身安全\t0.9\t锅炉超压", "5 columns"),
        ("intents", "闲聊\t1\t-\t-\t你好", "闲聊"),
        ("severty", "人身安全\t0.9\t-\t-\t锅炉超压", "severity"),
    ],
)
def test_a_broken_own_list_says_what_to_do(tmp_path: Path, name: str, line: str, said: str) -> None:
    """A wrong file name, name, value or column is told with its file, before any post is read."""
    (tmp_path / f"{name}.tsv").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match=said) as error:
        lexicon.own(tmp_path)
    assert f"{name}.tsv" in str(error.value)


def test_an_own_list_from_excel_is_read(tmp_path: Path) -> None:
    """A byte-order mark is no part of the first cell; another encoding is told."""
    line = "人身安全\t0.9\t-\t-\t锅炉超压\n"
    (tmp_path / "severity.tsv").write_bytes(b"\xef\xbb\xbf" + line.encode())
    assert [entry.name for entry in lexicon.own(tmp_path)] == ["人身安全"]
    (tmp_path / "severity.tsv").write_bytes(line.encode("gb18030"))
    with pytest.raises(ModelError, match="UTF-8"):
        lexicon.own(tmp_path)


@pytest.mark.parametrize("path", sorted(lexicon.FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_list_names_its_origin(path: Path) -> None:
    """The head of each list says where it comes from."""
    head = path.read_text(encoding="utf-8").splitlines()[0].lower()
    assert head.startswith("#")
    assert "origin" in head


def test_half_a_surrogate_pair_is_read(reader: Reader) -> None:
    """JSON can carry a lone surrogate; the post is read, and its spans stay true."""
    text = "\ud83d木槿壶难喝，态度差"
    said = read(reader, text)
    hit = said.matches.hits[0]
    assert text[hit.start : hit.end] == "木槿壶"
    assert said.aspects == ("品质", "尊重")


def test_an_answer_is_the_same_for_any_other_batch(reader: Reader) -> None:
    """Frames, clauses and models of one post do not see the posts beside it."""
    texts = [
        "木槿壶比青稚茶好喝",
        "青稚茶难喝，木槿壶好喝",
        "真行啊木槿壶，等了两个小时",
        "店里起火",
    ]
    batch = reader.read(texts, [""] * 4)
    assert batch == [read(reader, text) for text in texts]
    assert replace(batch[0]) == batch[0]
