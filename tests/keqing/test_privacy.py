"""Contact data goes, everything else stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pii import HARMLESS, recall
from keqing.privacy import mask, masked, pseudonym
from tests.contracts.index.made import mention


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("打我电话13800000000谢谢", "打我电话[电话]谢谢"),
        ("138 0000-0000", "[电话]"),
        ("１３８００００００００", "[电话]"),
        ("幺三八零零零零零零零零", "[电话]"),
        ("座机0531-88886666", "座机[电话]"),
        ("身份证11010519491231002X", "身份证[证件]"),
        ("卡号4111 1111 1111 1111", "卡号[银行卡]"),
        ("发到a.b@example.com吧", "发到[邮箱]吧"),
        ("加薇qingyu_88", "加薇[微信]"),
        ("V信：tea2026", "V信：[微信]"),
        ("QQ群 12345678", "QQ群 [QQ]"),
        ("车牌鲁A12345D", "车牌[车牌]"),
    ],
)
def test_contacts_are_masked(text: str, left: str) -> None:
    """Each written form of a contact becomes its mark."""
    assert mask(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "拨打12315",
        "客服10086",
        "400-820-8820",
        "订单号20261121000123456",
        "花了1380元",
        "2026-11-21 12:00:00",
    ],
)
def test_ordinary_numbers_survive(text: str) -> None:
    """Hotlines, orders, prices and dates are no contacts."""
    assert mask(text) == text


def test_planted_contacts_are_found_and_nothing_else() -> None:
    """Of contacts in many writings at least 99 in 100 are masked whole; of sentences with numbers none."""
    asked, missed = recall()
    assert asked.total() > 400
    assert missed.total() <= 0.01 * asked.total(), missed
    assert [text for text in HARMLESS if mask(text) != text] == []


@given(st.text(max_size=60))
def test_masking_twice_changes_nothing(text: str) -> None:
    """A masked text is left as it is."""
    assert mask(mask(text)) == mask(text)


def test_nothing_that_people_wrote_keeps_a_contact() -> None:
    """Title, text and the words of others that a reply quotes; a post without contacts is the same one."""
    plain = mention(1).post
    words = {"title": "电话13800000000", "text": "加薇qingyu_88", "quoted": ("打13800000000", "好")}
    clean = masked(plain.model_copy(update=words))
    assert (clean.title, clean.text, clean.quoted) == (
        "电话[电话]",
        "加薇[微信]",
        ("打[电话]", "好"),
    )
    assert masked(plain) is plain


def test_pseudonyms_depend_on_platform_and_key() -> None:
    """The same id on two platforms, or under two keys, cannot be joined; nobody stays nobody."""
    a = pseudonym("weibo", "1", b"k")
    assert a is not None
    assert a.startswith("k1:")
    assert len({a, pseudonym("discuz:x", "1", b"k"), pseudonym("weibo", "1", b"q")}) == 3
    assert pseudonym("weibo", None, b"k") is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("加我卫星：lin_service7", "加我卫星：[微信]"),
        ("绿泡泡 xiaolin2031", "绿泡泡 [微信]"),
        ("薇❤️：lin_20311", "薇❤️：[微信]"),
        ("VX【linlin2031】", "VX【[微信]】"),
        ("扣扣2031445566", "扣扣[QQ]"),
        ("企鹅号：2031445566", "企鹅号：[QQ]"),
        ("群号：778203111 备注城市", "群号：[QQ] 备注城市"),
        ("打(021)62340000找店长", "打[电话]找店长"),
        ("护照号E20311234丢了", "护照号[证件]丢了"),
        ("卫星电话没信号", "卫星电话没信号"),
        ("企鹅10000只", "企鹅10000只"),
        ("微信，twitter都有", "微信，twitter都有"),
        ("订单编号202611230098877665", "订单编号202611230098877665"),
    ],
)
def test_contacts_under_nicknames_are_masked_and_order_numbers_are_not(
    text: str, left: str
) -> None:
    """A number behind a nickname of the messenger goes; one without a birthday in it is no card."""
    assert mask(text) == left
