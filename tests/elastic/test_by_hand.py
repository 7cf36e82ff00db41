"""`make es` says where its node is, ends it at a signal, and says what a machine lacks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.elastic import by_hand
from tests.elastic.artifact import Missing
from tests.elastic.servers import Node


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Signals mean afterwards what they meant before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node(
    sent: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C or TERM: the node is cleared up, the exit is 0; the address and the setting were told."""
    cleared = []

    @contextmanager
    def started() -> Iterator[Node]:
        try:
            yield Node("http://127.0.0.1:1234")
        finally:
            cleared.append(True)

    monkeypatch.setattr(by_hand, "started", started)
    assert by_hand.main(lambda: os.kill(os.getpid(), sent)) == 0
    assert cleared == [True]
    assert "KEQING__INDEX__URL=http://127.0.0.1:1234" in capsys.readouterr().out


def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No JDK or no Maven: exit 1 with the name of what is missing."""

    @contextmanager
    def started() -> Iterator[Node]:
        raise Missing("no JDK >= 21")
        yield

    monkeypatch.setattr(by_hand, "started", started)
    assert by_hand.main() == 1
    assert "no JDK >= 21" in capsys.readouterr().err
