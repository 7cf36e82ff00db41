"""E-mail by SMTP, one message per person.

In:  an EmailMessage, the [smtp] settings, the password (secret KEQING__SMTP__PASSWORD).
Out: an Outcome; 4xx and silence repeat, a refused address is that person's end, a refused login or
TLS is a fault of the channel.
"""

from __future__ import annotations

import smtplib
import ssl
from email import policy
from email.message import EmailMessage

from alerts.receivers.outcome import Kind, Outcome
from keqing.settings import Smtp

BAD_ADDRESS = (550, 551, 552, 553)


class EmailReceiver:
    """Sends through one mail server, a connection per message."""

    channel = "email"

    def __init__(self, smtp: Smtp, password: str | None = None) -> None:
        self._smtp, self._password = smtp, password

    def send(self, id: str, message: EmailMessage) -> Outcome:
        """Send one message; the errors of the server become an Outcome."""
        try:
            self._deliver(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            return Outcome(_address_kind(code), str(code), "recipient refused")
        except smtplib.SMTPAuthenticationError as error:
            return Outcome(Kind.CHANNEL, str(error.smtp_code), "login refused")
        except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
            return Outcome(Kind.CHANNEL, "tls", type(error).__name__)
        except smtplib.SMTPResponseException as error:
            kind = Kind.RETRY if error.smtp_code < 500 else Kind.CHANNEL
            return Outcome(kind, str(error.smtp_code), type(error).__name__)
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(Kind.RETRY, "connection", type(error).__name__)
        return Outcome(Kind.OK, "250")

    def _deliver(self, message: EmailMessage) -> None:
        host = self._smtp.host or "localhost"
        with smtplib.SMTP(host, self._smtp.port, timeout=self._smtp.timeout_s) as server:
            if self._smtp.starttls:
                server.starttls(context=ssl.create_default_context())
            if self._smtp.user and self._password:
                server.login(self._smtp.user, self._password)
            # Chinese subjects and names travel encoded, so a server without SMTPUTF8 takes them.
            server.sendmail(
                str(message["From"]), [str(message["To"])], message.as_bytes(policy=policy.SMTP)
            )


def _address_kind(code: int) -> Kind:
    if code in BAD_ADDRESS:
        return Kind.RECIPIENT
    return Kind.RETRY if code < 500 else Kind.CHANNEL
