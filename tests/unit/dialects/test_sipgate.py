"""sipgate.io's pushes: signed forms, XML answers, forwarded calls."""

from base64 import b64encode
from functools import cache
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from connector.calls import CallState, CallStatus, Cause, Direction, record
from connector.dialects import DIALECTS, Hints, Parsed, Posted, SystemConfig
from connector.errors import BadSignature, SettingsError
from tests.unit.dialects.posting import NOW
from tests.unit.dialects.vendors import FORM, TOKEN, answered, arrived, calls, sample, shuffled

ADDRESS = f"https://calls.example.com/hooks/berlin/{TOKEN}"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """Make a key pair, the same for the same name."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    """Write a public key as the administrator has it."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@cache
def berlin() -> SystemConfig:
    """Have a phone system that knows two of the vendor's keys, as while one replaces the other."""
    return SystemConfig(
        uid="u", slug="berlin", country="DE", time_zone="Europe/Berlin",
        secrets=(pem(key("new").public_key()), pem(key("old").public_key())),
        address_secrets=(TOKEN,), lines=frozenset({"+4930123456"}),
    )  # fmt: skip


def signature(body: bytes, signer: str = "old", digest: HashAlgorithm | None = None) -> str:
    """Sign a body as sipgate does."""
    return b64encode(key(signer).sign(body, PKCS1v15(), digest or SHA256())).decode()


def posted(body: bytes, at: int = NOW, given: str | None = None, token: str = TOKEN) -> Posted:
    """Post a signed body."""
    headers = {"x-sipgate-signature": signature(body) if given is None else given}
    return Posted(
        headers=headers, content_type=FORM, body=body, received_at=at, url=ADDRESS, token=token
    )  # fmt: skip


def parse(body: bytes, at: int = NOW) -> Parsed:
    """Read a body."""
    return DIALECTS["sipgate"].parse(berlin(), posted(body, at))


def said(**fields: str) -> bytes:
    """Write a newCall, or what fields say."""
    event = {
        "event": "newCall", "callId": "c", "direction": "in", "from": "4915123456789", "to": "4930123456",
    }  # fmt: skip
    return urlencode(event | fields).encode()


def xml(body: bytes, hints: Hints | None = None) -> str:
    """Post a body and read its answer, which is well-formed XML."""
    _, answer = answered("sipgate", berlin(), posted(body), hints)
    assert (answer.status, answer.content_type) == (200, "application/xml")
    response = ET.fromstring(answer.body)  # noqa: S314 - our own answer
    assert (response.tag, response.attrib) == ("Response", {"onAnswer": ADDRESS, "onHangup": ADDRESS})
    return "".join(ET.tostring(child, encoding="unicode") for child in response)


def test_an_answered_call() -> None:
    """Agents go by their ids, and numbers get their plus."""
    call = calls(arrived(parse, sample("sipgate/answered.forms")))["36A1F"]
    assert (call.state, call.answered_at, call.ended_at) == (CallState.ENDED, NOW + 10_000, NOW + 20_000)
    assert {leg.agent: leg.answered_at for leg in call.legs} == {"w0": None, "w1": NOW + 10_000}
    assert (call.from_number, call.to_number) == ("+4915123456789", "+4930123456")
    assert call.parent is None


def test_a_forwarded_call() -> None:
    """The second call came out of the first: one record, by who answered."""
    call_group = calls(arrived(parse, sample("sipgate/forwarded.forms")))
    assert (call_group["A1"].parent, call_group["B2"].parent) == (None, "A1")
    kept = record("key", list(call_group.values()))
    assert kept is not None
    assert (kept.status, kept.duration_seconds, kept.agents) == (CallStatus.COMPLETED, 10, ("w1",))


def test_outbound() -> None:
    """The user calls out, and the cause of the end is kept."""
    call = calls(arrived(parse, sample("sipgate/outbound.forms")))["C3"]
    assert (call.direction, call.cause) == (Direction.OUTBOUND, Cause.BUSY)
    assert [leg.agent for leg in call.legs] == ["w0"]


def test_keys_and_machines_are_ignored() -> None:
    """A pressed key and a voicemail that answers start nothing."""
    parsed = [parse(body) for body in sample("sipgate/others.forms")]
    assert [(one.events, one.ignored[0].type) for one in parsed] == [((), "dtmf"), ((), "answer")]


@pytest.mark.parametrize("name", ["answered", "forwarded", "outbound"])
@given(data=st.data())
def test_order_and_repeats_change_nothing(name: str, data: st.DataObject) -> None:
    """A repeat is the same event, whenever it arrives."""
    events = arrived(parse, sample(f"sipgate/{name}.forms"))
    assert calls(data.draw(shuffled(events))) == calls(events)


def test_withheld_and_short_numbers_get_no_plus() -> None:
    """Only what is E.164 does."""
    for number in ("anonymous", "10", "112"):
        assert parse(said(**{"from": number})).events[0].from_number == number


def test_answers() -> None:
    """Each asks for what follows; a call that begins may be rejected, shown or sent to somebody."""
    outbound = said(direction="out", **{"from": "4930123456", "to": "4915123456789"})
    shown = '<Dial callerId="493099"><Number>4915123456789</Number></Dial>'
    assert xml(said()) == xml(said(event="hangup"), Hints(rejects=True)) == ""
    assert xml(said(), Hints(rejects=True)) == '<Reject reason="busy" />'
    assert xml(outbound, Hints(caller_id="+493099")) == shown
    to_owner = xml(said(), Hints(owner=("w0", "+4915198765432")))
    assert to_owner == "<Dial><Number>4915198765432</Number></Dial>"
    assert xml(said(), Hints(owner=("w0", "1001"), name="Ada")) == ""


def test_what_stands_in_a_number_stays_text() -> None:
    """A number that a caller made up is no XML."""
    hostile = said(direction="out", to='"><Hangup/>&')
    assert xml(hostile, Hints(caller_id="+493099")).startswith(
        '<Dial callerId="493099"><Number>"&gt;&lt;Hangup'
    )


@pytest.mark.parametrize(
    "given",
    [
        "",
        "no base64!",
        "AAAA",
        signature(b"other"),
        signature(said(), "stranger"),
        signature(said(), digest=SHA512()),
    ],
    ids=["none", "no base64", "short", "another body", "another key", "another hash"],
)
def test_wrong_signatures(given: str) -> None:
    """Anyone may learn the address; only sipgate can sign."""
    with pytest.raises(BadSignature):
        DIALECTS["sipgate"].parse(berlin(), posted(said(), given=given))


def test_a_signature_alone_is_not_enough() -> None:
    """It signs for all its customers: without the address's secret it could be about anybody."""
    for token in ("", "x"):
        with pytest.raises(BadSignature):
            DIALECTS["sipgate"].parse(berlin(), posted(said(), token=token))


def test_both_keys_are_valid() -> None:
    """While the vendor changes its key."""
    assert DIALECTS["sipgate"].parse(berlin(), posted(said(), given=signature(said(), "new"))).events


@pytest.mark.parametrize(
    "body", [b"", b"event=newCall", said(direction="up"), said(callId="c\x00"), said(origCallId="c" * 251)]
)
def test_what_cannot_be_read_is_answered(body: bytes) -> None:
    """Without an answer nothing more would come of the call; what came is kept by the caller of this."""
    parsed, answer = answered("sipgate", berlin(), posted(body))
    assert (parsed.events, len(parsed.rejected), answer.status) == ((), 1, 200)


@pytest.mark.parametrize(
    "text", ["", "key", TOKEN, pem(ec.generate_private_key(ec.SECP256R1()).public_key()), "\ud800"]
)
def test_what_is_no_key(text: str) -> None:
    """Only an RSA public key in PEM is taken."""
    with pytest.raises(SettingsError):
        DIALECTS["sipgate"].check_given(text)
    DIALECTS["sipgate"].check_given(pem(key("old").public_key()))


@given(
    st.dictionaries(
        st.sampled_from(["callId", "direction", "from", "to", "userId[]", "origCallId"]), st.text()
    )
)
@example({"callId": "c", "direction": "in", "from": "\u0661" * 12})
def test_hostile_fields(fields: dict[str, str]) -> None:
    """Whatever stands in the fields, there is an answer in XML."""
    xml(said(**fields))


@given(st.binary())
def test_hostile_bytes(body: bytes) -> None:
    """And whatever the body is."""
    xml(body)
