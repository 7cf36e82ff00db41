"""Where posts are from, on sentences written by the project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keqing.errors import BadConfig, ModelError
from keqing.records import Author, Post
from keqing.settings import Brand, Settings, load_settings
from nlp import lexicon, places
from nlp.region import Regions, Whence
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NONE = "无"
# own words | IP属地 | what the post is from, and why
CASES = """
在青岛万象城的木槿壶排了半小时 | 山东 | 山东青岛市 words
坐标成都，木槿壶新店开业 | 广东 | 四川成都市 words
青岛啤酒还是好喝 | 江苏 | 江苏 ip
云南白药牙膏涨价了 | 浙江 | 浙江 ip
北京现代的售后太差 | 河北 | 河北 ip
中山路那家木槿壶关门了 | 广东 | 广东 ip
住在中山的朋友来说说 | | 广东中山市 words
南京路步行街人好多 | 上海 | 上海 ip
南京东路店排队 | 上海 | 上海 ip
北京东路的木槿壶不错 | 江苏 | 江苏 ip
西藏中路新开一家 | | 无
在南京路过木槿壶，买了一杯 | 江苏 | 江苏南京市 words
兰州拉面涨到二十块 | 福建 | 福建 ip
在兰州吃了碗牛肉面 | 福建 | 甘肃兰州市 words
桂林米粉外卖洒了一袋 | 广东 | 广东 ip
重庆火锅底料里有虫 | 北京 | 北京 ip
重庆的木槿壶什么时候开 | | 重庆 words
扬州炒饭太咸 | | 无
早餐吃了三明治 | 福建 | 福建 ip
在三明市等车 | | 福建三明市 words
大理石台面裂了 | 云南 | 云南 ip
在大理住的客栈漏水 | | 云南大理白族自治州 words
哈密瓜不甜 | 新疆 | 新疆 ip
阿里巴巴回应了 | 浙江 | 浙江 ip
刚开封就有异味 | 河南 | 河南 ip
到开封玩，酒店空调坏了 | | 河南开封市 words
日照时间太短 | | 无
来日照看海，民宿临时加价 | | 山东日照市 words
我们百色的快递点又丢件 | 广西 | 广西 ip
百色市的快递点又丢件 | | 广西百色市 words
来宾请到前台登记 | 广西 | 广西 ip
上海南站的店不给开发票 | | 上海 words
城西宁静的小店 | 陕西 | 陕西 ip
武汉口味偏重 | 湖北 | 湖北 ip
从北京飞到广州，酒店没房 | 北京 | 广东广州市 words
比上海贵多了 | 安徽 | 安徽 ip
山东青岛的朋友注意 | | 山东青岛市 words
江苏昆山这边已经停水 | | 江苏昆山市 words
义乌的供应商跑路了 | | 浙江义乌市 words
朝阳区的门店没人接电话 | 北京 | 北京朝阳区 words
朝阳区的门店没人接电话 | 吉林 | 吉林朝阳区 words
朝阳区的门店没人接电话 | | 无
北京朝阳区的门店没人接电话 | 吉林 | 北京朝阳区 words
鼓楼区外卖送了两小时，福州下雨 | | 福建鼓楼区 words
浦东的木槿壶停业 | 江苏 | 上海浦东新区 words
广州和深圳都断货了 | 江西 | 广东 words
北京和上海都断货了 | 浙江 | 浙江 ip
在廣州的門店喝到塑料片 | | 广东广州市 words
回复@青岛发布:收到 | 山东 | 山东 ip
@青岛发布 你们管不管 | 江苏 | 江苏 ip
转发微博//@小鱼干:在青岛喝的 | 四川 | 四川 ip
#成都探店# 木槿壶一般般 | | 四川成都市 words
木槿壶一般般 | 发布于 内蒙古 | 内蒙古 ip
木槿壶一般般 | IP属地：广西壮族自治区 | 广西 ip
木槿壶一般般 | 中国香港 | 香港 ip
木槿壶一般般 | 日本 | 日本 ip
木槿壶一般般 | 山东省青岛市 | 山东 ip
木槿壶一般般 | 未知地区 8 | 无
木槿壶一般般 | | 无
呼伦贝尔的客房没热水 | | 内蒙古呼伦贝尔市 words
我不是青岛人，路过而已 | 河南 | 河南 ip
阿里地区的网点不收件 | | 西藏阿里地区 words
中山大学的学生说食堂涨价 | 广东 | 广东 ip
玉林串串开在楼下 | 四川 | 四川 ip
海南鸡饭太油 | 湖北 | 湖北 ip
三亚的酒店临时加价 | 黑龙江 | 海南三亚市 words
德州扑克软件闪退 | | 无
西双版纳的民宿有蟑螂 | | 云南西双版纳傣族自治州 words
""".strip().splitlines()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(ROOT, env={})


@pytest.fixture(scope="module")
def reader(settings: Settings) -> Reader:
    beer = Brand(name="青岛啤酒", aliases=("青岛啤酒",))
    plan = settings.plan.model_copy(
        update={"brands": settings.plan.brands | {"beer": beer}}
    )  # one of the three firms is watched, the others are strangers
    off = plan.nlp.model_copy(
        update={"second_stage": plan.nlp.second_stage.model_copy(update={"model": "off"})}
    )
    return Reader(settings.model_copy(update={"plan": plan.model_copy(update={"nlp": off})}))


def post(text: str, region: str = "", **more: object) -> Post:
    return Post.model_validate(
        {"id": "x:1", "platform": "x", "source": "x", "text": text, "run_id": "r",
         "author": Author(id="k1:a"), "first_seen_at": NOW, "collected_at": NOW,
         "region": region or None} | more
    )  # fmt: skip


def whence(reader: Reader, made: Post, brands: dict[str, Brand] | None = None) -> Whence:
    (said,) = reader.read([made.text or ""], [made.title or ""])
    return Regions(brands or {}).of(made, said)


def shown(found: Whence) -> str:
    return f"{found.place} {found.basis}" if found.basis else NONE


def test_table_of_places(reader: Reader):
    """Of at least 60 posts 95 of 100 get their place and its basis."""
    rows = [[cell.strip() for cell in line.split("|")] for line in CASES]
    wrong = [
        f"{text} ({said}): {got}, not {wanted}"
        for text, said, wanted in rows
        if (got := shown(whence(reader, post(text, said)))) != wanted
    ]
    assert len(rows) >= 60
    assert len(wrong) <= 0.05 * len(rows), "\n".join(wrong)


def brand(**stores: str) -> dict[str, Brand]:
    return {"mujinhu": Brand(name="木槿壶", aliases=("木槿壶",), stores=stores)}


def test_the_store_wins(reader: Reader):
    """A store of the plan says more than a city in the words and the author's IP属地."""
    made = post("周末从北京到成都，在木槿壶万象店等了一个小时", "广东")
    assert whence(reader, made, brand(万象店="山东青岛")) == Whence(
        "山东", "山东青岛市", "370200", "store"
    )


def test_a_store_needs_its_brand(reader: Reader):
    """The shop name alone is anybody's: without the brand beside it the words decide."""
    found = whence(reader, post("在成都万象店等了一个小时"), brand(万象店="山东青岛"))
    assert (found.place, found.basis) == ("四川成都市", "words")


def test_two_stores_of_two_places_are_none(reader: Reader):
    """A post that compares two shops is from neither for sure."""
    stores = brand(万象店="山东青岛", 会展店="浙江杭州")
    found = whence(reader, post("木槿壶万象店比会展店好", "江苏"), stores)
    assert (found.place, found.basis) == ("江苏", "ip")


def test_unknown_place_of_a_store_is_a_plan_error():
    """A store in no register stops the start and says what to write."""
    with pytest.raises(BadConfig, match=r"brands\.mujinhu\.stores\.万象店.*青屿"):
        Regions(brand(万象店="青屿"))


def test_a_form_states_its_region(reader: Reader):
    """A ticket's region field is no IP属地, and it too is kept as a province only."""
    found = whence(reader, post("洗衣机漏水", "山东省青岛市市南区", channel="call_centre"))
    assert found == Whence("山东", "山东", "370000", "stated")


def test_title_counts_as_own_words(reader: Reader):
    """A place in the title is where the post is from; a brand hit in the text hides none there."""
    made = post("木槿壶的料不新鲜", title="在济南喝坏了肚子")
    assert whence(reader, made).place == "山东济南市"


def test_register_is_whole():
    """34 provinces, each city under its province, no code twice, no short name without a row."""
    codes = [cells[0] for cells in lexicon.rows("places.tsv") if cells[0] != "-"]
    assert len(places.provinces()) == 34
    assert len(codes) == len(set(codes))
    assert {code[:2] for code in codes} == set(places.provinces())
    cities = [code for code in codes if code.endswith("00") and not code.endswith("0000")]
    assert len(cities) == 333


def test_broken_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A row without a code is an error that shows the row."""
    (tmp_path / "places.tsv").write_text("三十七\t山东省\t山东\n", encoding="utf-8")
    monkeypatch.setattr(lexicon, "FOLDER", tmp_path)
    lexicon.rows.cache_clear()
    places.provinces.cache_clear()
    try:
        with pytest.raises(ModelError, match=r"places\.tsv.*三十七"):
            places.provinces()
    finally:
        lexicon.rows.cache_clear()
