"""How well contact data is masked: `python -m bench.pii [--data DIR]`.

In:  contacts of every kind in many writings, planted in sentences of ours; sentences with numbers that
are none; with --data the texts of labelled sets, in which hardly anybody writes a contact. Out: recall
by kind, false masks among the others.
All numbers are drawn; none belongs to anybody.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from keqing.privacy import mask

CARRIERS = (
    "有意者联系{}，价格好谈", "我的号{}，看到请回", "退款打{}没人接", "{}是我本人，求助", "联系方式：{}。",
    "客服让我留{}等回复", "加我{}发你照片", "请尽快处理！{}", "已经登记了{}，还要等多久", "（{}）麻烦转告店长",
    "昨天18:30在二楼丢了包，捡到请拨{}", "店里3号桌的客人，{}，请来取伞", "#求助#{}谢谢大家🙏",
    "//@某人:可以找{}试试", "订单2件，留言{}，别打扰",
)  # fmt: skip
HARMLESS = (
    "拨打12315投诉", "客服10086转人工", "热线400-820-8820占线", "95588一直忙音", "订单号20261121000123456",
    "快递单SF1234567890123", "花了1380元", "1380000元的车", "2026-11-21 12:00:00", "型号GT-730-2080",
    "房号1308", "第13800名", "加微糖的奶茶", "加薇薇一起去", "微信支付成功", "微信小程序打不开", "qq音乐会员",
    "用QQ登录", "京A区停车场", "新B座三楼", "沪C位出道", "川香麻辣烫", "A12345是座位号", "京东A级商家",
    "满199减30", "65536个", "比分110:119", "3.1415926535897932", "热量4111千卡", "v信赖之选", "邮箱是什么格式",
    "@官方客服 怎么不回", "发到群里", "a@b", "一三五七九", "一三八路公交", "幺蛾子真多", "限13岁以上",
    "IPv4地址10.0.0.1", "版本号6.2.1.1380", "条形码6901234567892", "ISBN 978-7-111-54742-6",
    "会员价99.9", "13:00-14:00休息", "楼层1-13", "0531是济南的区号", "邮编250000", "2026年11月26日13时80分",
    "身高180体重138", "车次G1380", "航班CA1381", "基金代码000001", "涨了13.8个百分点",
)  # fmt: skip
MARKS = ("[电话]", "[证件]", "[银行卡]", "[邮箱]", "[微信]", "[QQ]", "[车牌]")


def main() -> int:
    """Print the figures; 1 below the bars of recall .99 and one false mask in 1,000 posts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    data: Path | None = parser.parse_args().data
    asked, missed = recall()
    for kind, n in sorted(asked.items()):
        print(f"{kind:<12} {n:>5} planted  recall {1 - missed[kind] / n:.4f}")
    wrong = [text for text in HARMLESS if mask(text) != text]
    print(f"harmless     {len(HARMLESS):>5} written  masked {len(wrong)}: {wrong}")
    total = 1 - sum(missed.values()) / sum(asked.values())
    print(f"recall {total:.4f}")
    if data:
        _real(data)
    return 0 if total >= 0.99 and not wrong else 1


def recall(seed: int = 7) -> tuple[Counter[str], Counter[str]]:
    """Planted contacts by kind, and those of which something was left."""
    asked: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for kind, contact, secret in planted(seed):
        asked[kind] += 1
        missed[kind] += secret in mask(contact)
    return asked, missed


def planted(seed: int) -> Iterator[tuple[str, str, str]]:
    """(kind, sentence, what must not be left of it)."""
    draw = random.Random(seed)
    for kind, writings in KINDS.items():
        for carrier in CARRIERS:
            for writing in writings:
                contact, secret = writing(draw)
                yield kind, carrier.format(contact), secret


Writing = Callable[[random.Random], tuple[str, str]]


def _digits(draw: random.Random, n: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(n))


def _mobile(form: str) -> Writing:
    def write(draw: random.Random) -> tuple[str, str]:
        a, b, c = (
            "1" + draw.choice("3456789") + _digits(draw, 1),
            _digits(draw, 4),
            _digits(draw, 4),
        )
        written = form.format(a, b, c)
        return written, written.removeprefix("+86").strip()

    return write


def _wide(draw: random.Random) -> tuple[str, str]:
    number = "13" + _digits(draw, 9)
    written = number.translate({ord(d): 0xFF10 + int(d) for d in "0123456789"})
    return written, written


def _spoken(one: str) -> Writing:
    def write(draw: random.Random) -> tuple[str, str]:
        written = (
            one
            + draw.choice("三五八")
            + "".join(draw.choice("零一二三四五六七八九") for _ in range(9))
        )
        return written, written

    return write


def _landline(draw: random.Random) -> tuple[str, str]:
    written = (
        f"0{draw.choice(['10', '21', '531', '755'])}-{draw.choice('2345678')}{_digits(draw, 7)}"
    )
    return written, written


def _id(draw: random.Random) -> tuple[str, str]:
    head = f"37010219{draw.randint(50, 99)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}{_digits(draw, 3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    last = "10X98765432"[sum(int(d) * w for d, w in zip(head, weights, strict=True)) % 11]
    return f"身份证{head}{last}", head


def _card(form: str) -> Writing:
    def write(draw: random.Random) -> tuple[str, str]:
        head = "6222" + _digits(draw, 11)
        total = sum(int(d) * 2 - 9 * (int(d) > 4) if n % 2 == 0 else int(d)
                    for n, d in enumerate(reversed(head)))  # fmt: skip
        number = head + str(-total % 10)
        parts = [number[at : at + 4] for at in range(0, 16, 4)]
        written = form.join(parts)
        return f"卡号{written}", written

    return write


def _after(prefix: str, alphabet: str, size: int) -> Writing:
    def write(draw: random.Random) -> tuple[str, str]:
        secret = draw.choice("abcdefgh") if alphabet[0] == "a" else draw.choice("123456789")
        secret += "".join(draw.choice(alphabet) for _ in range(size - 1))
        return prefix + secret, secret

    return write


def _mail(draw: random.Random) -> tuple[str, str]:
    written = f"{_after('', LETTERS, 6)(draw)[0]}.{_digits(draw, 2)}@{draw.choice(['example.com', 'mail.example.cn'])}"
    return written, written


def _plate(form: str) -> Writing:
    def write(draw: random.Random) -> tuple[str, str]:
        tail = _digits(draw, 4) + draw.choice("ABCDEFGH")
        return form.format(draw.choice("京沪鲁粤川"), draw.choice("ABCD"), tail), tail

    return write


def _green(draw: random.Random) -> tuple[str, str]:
    tail = "D" + _digits(draw, 5)
    return f"鲁A{tail}", tail


LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
KINDS: dict[str, tuple[Writing, ...]] = {
    "mobile": (*map(_mobile, ("{}{}{}", "{} {} {}", "{}-{}-{}", "+86 {}{}{}", "+86{}-{}-{}",
                                  "电话{}{}{}", "手机号：{}{} {}")), _wide),
    "spoken": (_spoken("一"), _spoken("幺")),
    "landline": (_landline,),
    "id": (_id,),
    "card": (_card(""), _card(" "), _card("-")),
    "mail": (_mail,),
    "wechat": tuple(_after(p, LETTERS, 9) for p in ("微信", "微信号：", "V信 ", "v信：", "加薇", "vx:", "wx",
                                                    "加V", "威信号是", "VX：")),
    "qq": tuple(_after(p, "0123456789", 9) for p in ("QQ", "qq：", "QQ群 ", "qq号")),
    "plate": (_plate("{}{}{}"), _plate("{}{}·{}"), _green),
}  # fmt: skip


def _real(data: Path) -> None:
    from nlp.rows import read_sets

    texts = [t for one in read_sets([data], "dev", ("tri", "bin", "intent")) for t in one.texts]
    changed = [(text, masked) for text in texts if (masked := mask(text)) != text]
    kinds = Counter(
        mark for text, masked in changed for mark in MARKS if mark in masked and mark not in text
    )
    print(f"real posts   {len(texts):>5}  with a mask {len(changed)} "
          f"({1000 * len(changed) / len(texts):.2f} per 1,000): {dict(kinds)}")  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
