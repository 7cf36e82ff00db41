"""Is the mail server there: greeting and, where the plan asks for it, TLS; nothing is sent.

In:  the [smtp] settings. Out: nothing, or Unreachable with the reason.
"""

from __future__ import annotations

import smtplib
import ssl

from keqing.errors import Unreachable
from keqing.settings import Smtp

LIMIT_S = 10.0


def probe(smtp: Smtp) -> None:
    """Connect as a sender would, without a login, and leave.

    Raises:
        Unreachable: no connection, no greeting, or TLS refused.
    """
    host = smtp.host or "localhost"
    try:
        with smtplib.SMTP(host, smtp.port, timeout=min(LIMIT_S, smtp.timeout_s)) as server:
            if smtp.starttls:
                server.starttls(context=ssl.create_default_context())
            server.noop()
    except (smtplib.SMTPException, OSError) as error:
        raise Unreachable(f"{host}:{smtp.port}: {type(error).__name__}: {error}") from error
