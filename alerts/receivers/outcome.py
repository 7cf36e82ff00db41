"""How one try to send ended, and what a receiver is.

In:  nothing.
Out: Kind, Outcome, and the protocol of a receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What follows from a try: done, again soon, this person never, this channel later."""

    OK = "ok"
    RETRY = "retry"
    RECIPIENT = "recipient"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Outcome:
    """The end of one try; `detail` holds no texts of posts and no addresses."""

    kind: Kind
    code: str = ""
    detail: str = ""
    path: str | None = None  # file written, for the spool


class Receiver(Protocol):
    """Somewhere a message can go."""

    channel: str

    def send(self, id: str, message: EmailMessage) -> Outcome:
        """Send once; never raises for what the other side does."""
        ...
