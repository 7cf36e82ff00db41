"""Local maildir, for installations without a mail server: var/spool/mail/new/<id>.eml.

In:  an EmailMessage, the folder.
Out: one file per notification, written aside, synced, renamed; the same id overwrites.
"""

from __future__ import annotations

import os
import re
from email.message import EmailMessage
from pathlib import Path

from alerts.receivers.outcome import Kind, Outcome
from keqing.private import private_folder


class SpoolReceiver:
    """Writes mails into a maildir that any mail program opens."""

    channel = "spool"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, id: str, message: EmailMessage) -> Outcome:
        """Write one mail; a full or read-only disk is a fault of the channel."""
        name = re.sub(r"[^\w.-]", "_", id) + ".eml"
        path = self._folder / "new" / name
        try:
            self._write(path, self._folder / "tmp" / name, message.as_bytes())
        except OSError as error:
            return Outcome(Kind.CHANNEL, str(error.errno), type(error).__name__)
        return Outcome(Kind.OK, "spool", path=str(path))

    def _write(self, path: Path, aside: Path, body: bytes) -> None:
        for part in ("tmp", "new", "cur"):
            private_folder(self._folder / part)
        with aside.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
