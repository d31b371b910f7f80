"""A real SMTP server on loopback, with a certificate of its own, that keeps what it is given."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "connector", "no/secret@all"
HOST = "127.0.0.1"


@cache
def pem() -> bytes:
    """Make a certificate for loopback, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.com")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM) + private


@cache
def certificate() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what the server shows, and what believes it."""
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mail.pem"
        file.write_bytes(pem())
        shown.load_cert_chain(file)
    return shown, ssl.create_default_context(cadata=pem().decode("ascii"))


class Server:
    """What the server was given, and how it goes about it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.encrypted: list[bool] = []
        self.refuses: set[str] = set()
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or do not."""
        if address in self.refuses:
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        assert isinstance(envelope.content, bytes)
        assert server.transport is not None
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"

    def text(self, number: int = -1) -> str:
        """Return what a mail says."""
        content: str = self.mails[number].get_content()
        return content

    def subjects(self) -> list[str]:
        """Return the subjects of all mails."""
        return [mail["subject"] for mail in self.mails]


def _knows(
    _server: object, _session: object, _envelope: object, _mechanism: object, data: object
) -> AuthResult:
    good = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def serving(server: Server, *, tls: str = "", signs_in: bool = False) -> AsyncIterator[Server]:
    """Serve on a free port, or the one that the server had before; `tls` is "", "starttls" or "smtps"."""
    shown, _ = certificate()

    def made() -> SMTP:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            # It knows nothing of a connection that was encrypted before it began.
            return _made()

    def _made() -> SMTP:
        return SMTP(
            server,
            hostname="mail.example.com",
            tls_context=shown if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=_knows,
            auth_required=signs_in,
            auth_require_tls=tls == "starttls",
        )

    loop = asyncio.get_running_loop()
    context = shown if tls == "smtps" else None
    listener = await loop.create_server(made, HOST, server.port, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
