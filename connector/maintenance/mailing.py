"""Send a mail by SMTP: encrypted wherever it leaves this machine, with what went wrong in plain words."""

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import msgspec

from connector.aio import in_thread
from connector.errors import CommandError, MailRefused, MailUnreachable
from connector.logs import masked, spelt_out
from connector.settings import LOOPBACK, Settings

TIMEOUT_SECONDS = 10
"""How long each step of the conversation may take."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""What every server takes; whoever has another address shall not keep the others from their mail."""

SAID_AT_MOST = 200
"""Characters of what the server says that are told."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """What is said to whom; `id` is the same where the same mail is sent again."""

    subject: str
    text: str
    to: Sequence[str]
    id: str


class Mailer:
    """Send mails by the server that SMTP_URL names.

    `smtps://` begins with TLS. `smtp://` goes on with it (STARTTLS), and insists on that, except for a server
    on this machine that wants no password. `trusted` says whose certificates are believed, the system's
    unless given.
    """

    def __init__(self, settings: Settings, trusted: ssl.SSLContext | None = None) -> None:
        self._url = urlsplit(settings.smtp_url.reveal())
        self._from = settings.mail_from
        self._host = urlsplit(settings.public_url).hostname or "localhost"
        self._trusted = trusted

    @property
    def is_set_up(self) -> bool:
        """Tell whether there is a server to send by."""
        return bool(self._url.hostname)

    async def send(self, mail: Mail) -> int:
        """Send a mail, and return how many of its recipients were refused, not all of them.

        Raises CommandError where no server is set, MailRefused or MailUnreachable.
        """
        if not self.is_set_up:
            raise CommandError("SMTP_URL is not set: it names the mail server, and MAIL_FROM the sender.")
        to = [each for each in mail.to if _ADDRESS.fullmatch(each)]
        if not to:
            raise MailRefused("No recipient has an address that mail can be sent to: name some in MAIL_TO.")
        message = self._written(mail, to)
        refused = await in_thread(lambda: self._send(message, to))
        return refused + len(mail.to) - len(to)

    def _written(self, mail: Mail, to: Sequence[str]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"Connector <{self._from}>"
        message["To"] = ", ".join(to)
        # Names are what people made of them: none begins a header of its own.
        message["Subject"] = spelt_out(mail.subject)
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{mail.id}@{self._host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message

    def _send(self, message: EmailMessage, to: Sequence[str]) -> int:
        server = self._url.hostname or ""
        with _told_plainly(server), self._connected(server) as connection:
            return len(connection.send_message(message, self._from, list(to)))

    @contextmanager
    def _connected(self, server: str) -> Iterator[smtplib.SMTP]:
        user, password = (unquote(part or "") for part in (self._url.username, self._url.password))
        trusted = self._trusted or ssl.create_default_context()
        own_name, port = self._host, self._url.port
        connection: smtplib.SMTP
        if self._url.scheme == "smtps":
            connection = smtplib.SMTP_SSL(
                server, port or 465, own_name, timeout=TIMEOUT_SECONDS, context=trusted
            )
        else:
            connection = smtplib.SMTP(server, port or 587, own_name, timeout=TIMEOUT_SECONDS)
        with connection:
            connection.ehlo_or_helo_if_needed()
            if self._url.scheme == "smtp" and (user or server not in LOOPBACK):
                connection.starttls(context=trusted)
            if user:
                connection.login(user, password)
            yield connection


@contextmanager
def _told_plainly(server: str) -> Iterator[None]:
    """Turn what smtplib and sockets raise into ours."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as problem:
        raise MailRefused(
            f"The mail server {server} does not take the user and password of SMTP_URL ({_said(problem)})."
        ) from problem
    except smtplib.SMTPNotSupportedError as problem:
        raise MailRefused(
            f"The mail server {server} offers no encryption (STARTTLS) or no way to sign in there that is "
            "known here: write smtps:// with its port in SMTP_URL, or ask whoever runs it."
        ) from problem
    except smtplib.SMTPRecipientsRefused as problem:
        said = next(iter(problem.recipients.values()), (0, b""))
        raise MailRefused(
            f"The mail server {server} takes none of the recipients ({_words(*said)}): compare MAIL_FROM and "
            "MAIL_TO with what it allows."
        ) from problem
    except smtplib.SMTPServerDisconnected as problem:
        raise MailUnreachable(f"The mail server {server} hung up: try again later.") from problem
    except smtplib.SMTPResponseException as problem:
        raise MailRefused(f"The mail server {server} does not take the mail ({_said(problem)}).") from problem
    except ssl.SSLError as problem:
        raise MailUnreachable(
            f"The connection to the mail server {server} could not be encrypted ({problem.reason}): compare "
            "host and port in SMTP_URL with its certificate, or name your own authority's file in "
            "SSL_CERT_FILE."
        ) from problem
    except (OSError, smtplib.SMTPException) as problem:
        raise MailUnreachable(
            f"The mail server {server} was not reached ({type(problem).__name__}): compare host and port in "
            "SMTP_URL, and see whether a firewall stands between."
        ) from problem


def _said(problem: smtplib.SMTPResponseException) -> str:
    return _words(problem.smtp_code, problem.smtp_error)


def _words(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return spelt_out(masked(f"{code} {' '.join(words.split())}"))[:SAID_AT_MOST]
