"""Which machine is talked to: the address that was looked at, whatever a name leads to afterwards."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.errors import RecordingNotAllowed, RecordingUnreachable
from connector.recordings.fetching import Fetcher
from connector.recordings.sources import Source
from tests.conftest import NetworkClosed
from tests.integration.recordings.upstream import WAV, Upstream, moved, running

pytestmark = pytest.mark.anyio

LOOPBACK = (ip_network("127.0.0.0/8"),)
NAME = "pbx.example.com"
PUBLIC = "93.184.215.14"


class Resolver:
    """Return a name with other addresses each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers: Iterator[Sequence[str]] = iter(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Answer."""
        self.asked.append((host, port))
        found = next(self._answers)
        if not found:
            raise OSError("no such name")
        return found


async def hear(fetcher: Fetcher, url: str, source: Source) -> bytes:
    """Fetch a recording whole."""
    audio = await fetcher.open(url, source, None)
    try:
        return b"".join([chunk async for chunk in audio.chunks])
    finally:
        await audio.close()


def source_of(upstream: Upstream, **more: object) -> Source:
    """Allow the name by plain http."""
    facts: dict[str, object] = {"origins": frozenset({f"http://{NAME}:{upstream.port}"}), **more}
    return Source(**facts)  # type: ignore[arg-type]


async def test_private_addresses_are_closed(upstream: Upstream) -> None:
    """A name that leads to this machine leads nowhere, unless that was allowed."""
    private = ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.0.0.1", "169.254.169.254"], ["0.0.0.0"]
    resolver = Resolver(*private)
    url = f"http://{NAME}:{upstream.port}/1.wav"
    for _ in private:
        with pytest.raises(RecordingNotAllowed, match=NAME):
            await hear(Fetcher(resolver=resolver), url, source_of(upstream))
    assert not upstream.asked
    open_to = source_of(upstream, networks=LOOPBACK)
    assert await hear(Fetcher(resolver=Resolver(["127.0.0.1"])), url, open_to) == WAV
    assert upstream.asked[0].headers["host"] == f"{NAME}:{upstream.port}"


async def test_numbers_are_addresses_too(upstream: Upstream) -> None:
    """Writing the address itself, or a name that every machine has, opens nothing."""
    for host in ("127.0.0.1", "localhost"):
        url = f"http://{host}:{upstream.port}/1.wav"
        source = Source(origins=frozenset({url.removesuffix("/1.wav"), f"http://127.0.0.1:{upstream.port}"}))
        with pytest.raises((RecordingNotAllowed, RecordingUnreachable)):
            await hear(Fetcher(), url, source)
    assert not upstream.asked


async def test_rebinding_gets_nothing(upstream: Upstream) -> None:
    """A name that is public when it is looked at and ours when it is used: it is asked once only."""
    rebinding = Resolver([PUBLIC], ["127.0.0.1"])
    with pytest.raises(ExceptionGroup) as tried:
        await hear(Fetcher(resolver=rebinding), f"http://{NAME}:{upstream.port}/1.wav", source_of(upstream))
    # The tests' own fence stopped it, on its way to the address that was looked at.
    assert tried.group_contains(NetworkClosed, match=PUBLIC)
    assert (len(rebinding.asked), upstream.asked) == (1, [])


async def test_each_redirect_is_looked_at_anew(upstream: Upstream) -> None:
    """A redirect to an allowed name that leads into a private network ends there."""
    upstream.answers["/1.wav"] = moved(f"http://inside.example.com:{upstream.port}/2.wav")
    source = source_of(
        upstream,
        redirect_origins=frozenset({f"http://inside.example.com:{upstream.port}"}),
        networks=(ip_network("127.0.0.1/32"),),
    )
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    with pytest.raises(RecordingNotAllowed, match="inside"):
        await hear(Fetcher(resolver=resolver), f"http://{NAME}:{upstream.port}/1.wav", source)
    assert [one.path for one in upstream.asked] == ["/1.wav"]


async def test_other_addresses_of_a_name_are_tried(upstream: Upstream) -> None:
    """One address that does not answer is no reason to give up; private ones are left out."""
    resolver = Resolver(["10.0.0.1", "127.0.0.9", "127.0.0.1"])
    url = f"http://{NAME}:{upstream.port}/1.wav"
    assert await hear(Fetcher(resolver=resolver), url, source_of(upstream, networks=LOOPBACK)) == WAV


async def test_no_such_name(upstream: Upstream) -> None:
    """A name without an address is unreachable."""
    with pytest.raises(RecordingUnreachable):
        await hear(Fetcher(resolver=Resolver([])), f"https://{NAME}/1.wav", Source())


async def test_plain_http_is_for_named_hosts(upstream: Upstream) -> None:
    """What nobody has named is fetched by https only."""
    with pytest.raises(RecordingNotAllowed, match="plain http"):
        await hear(Fetcher(), f"{upstream.origin}/1.wav", Source(networks=LOOPBACK))
    assert not upstream.asked


async def test_certificate_is_the_names(tmp_path: Path) -> None:
    """By https the certificate must be the name's, although the connection goes to an address."""
    trusted = ssl.create_default_context(cadata=certify(tmp_path / "pbx.pem", NAME))
    trusted.load_verify_locations(cadata=certify(tmp_path / "other.pem", "other.example.com"))
    for file, fits in (("pbx.pem", True), ("other.pem", False)):
        async with running(Upstream(), tmp_path / file) as upstream:
            fetcher = Fetcher(resolver=Resolver(["127.0.0.1"]), trusted=trusted)
            url, source = f"https://{NAME}:{upstream.port}/1.wav", Source(networks=LOOPBACK)
            if fits:
                assert await hear(fetcher, url, source) == WAV
                continue
            with pytest.raises(RecordingUnreachable):
                await hear(fetcher, url, source)


def certify(file: Path, name: str) -> str:
    """Write a certificate for a name with its key, and answer it."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(pem + secret)
    return pem.decode()
