"""Write what a telephone does as a scenario for sipp (its XML), step by step."""

from collections.abc import Sequence

ENDED = "90"
"""The label at the end of every scenario."""

_CALLEE_SAVES = """<action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action>"""
_MEDIA = (
    "v=0",
    "o=- 1 1 IN IP4 [local_ip]",
    "s=-",
    "c=IN IP4 [media_ip]",
    "t=0 0",
    "m=audio [media_port] RTP/AVP 0",
)
_CALLED = "sip:[service]@[remote_ip]:[remote_port]"
_CALLER = '"[name]" <sip:[number]@[local_ip]:[local_port]>;tag=[pid]c[call_number]'
_VIA = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]"
_ECHOED = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")


def caller(*, talk_ms: int, give_up_ms: int | None = None) -> str:
    """Call, and hang up after so long a talk, or give up after ringing so long.

    Takes sipp's keys `service`, `number` and `name`.
    """
    steps = [_invite(), _receive("100", optional=True)]
    if give_up_ms is None:
        steps += [_receive(code, optional=True) for code in ("180", "181", "183")]
        steps += [_receive(code, optional=True, goto="80") for code in ("486", "480", "603", "503", "404")]
        steps += [_receive("200", extra='rrs="true"'), _acknowledge(), *_talk(talk_ms, _bye_of_caller())]
    else:
        steps += [_receive("180"), _pause(give_up_ms), _caller_says("CANCEL", 1)]
        steps += [_receive("200"), _receive("487"), _caller_says("ACK", 1, goto=ENDED)]
    return _scenario([*steps, _label("80"), _caller_says("ACK", 1)])


def callee(
    *,
    ring_ms: int = 500,
    talk_ms: int = 60_000,
    refuse: str = "",
    moved_to: str = "",
    refer_to: str = "",
    keys: Sequence[str] = (),
    keys_after_ms: int = 1_000,
) -> str:
    """Be called: ring, then answer and talk, or `refuse` with a status line such as '486 Busy Here'.

    Somebody who has `moved_to` another number says so at once.

    Without a time to ring it does not. In the talk either dial `keys`, or send the caller on to `refer_to`,
    after `keys_after_ms`.
    A call that is taken back while it rings ends the scenario.
    """
    rings = [_answer("180 Ringing"), _or_else("CANCEL", ring_ms, "10", "70"), _label("10")]
    steps = [_invited(), *(rings if ring_ms else [])]
    if moved_to:
        refuse = "302 Moved Temporarily"
    if refuse:
        steps += [_final(refuse, contact=moved_to or "phone"), _receive_request("ACK", goto=ENDED)]
    else:
        steps += [_final("200 OK", media=True), _receive_request("ACK")]
        steps += _doing(refer_to, keys, keys_after_ms)
        steps += _talk(talk_ms, _callee_says("BYE", 99))
    taken_back = [_answer("200 OK", tag=False), _final("487 Request Terminated"), _receive_request("ACK")]
    return _scenario([*steps, _nop(ENDED), _label("70"), *taken_back])


def _doing(refer_to: str, keys: Sequence[str], after_ms: int) -> list[str]:
    if refer_to:
        refer = _callee_says("REFER", 10, f"Refer-To: <sip:{refer_to}@[remote_ip]>")
        notified = [_label("20"), _or_else("NOTIFY", 800, "30", "21"), _label("21")]
        return [
            _pause(after_ms),
            refer,
            _receive("202"),
            *notified,
            _answer("200 OK", goto="20"),
            _label("30"),
        ]
    steps = [_pause(after_ms)] if keys else []
    for number, key in enumerate(keys, 10):
        steps += [_key(key, number), _receive("200"), _pause(150)]
    return steps


def _talk(talk_ms: int, bye: str) -> list[str]:
    """Wait for the other side to hang up, and hang up where it does not."""
    other = [_label("60"), _answer("200 OK", tag=False, goto=ENDED)]
    return [_or_else("BYE", talk_ms, "50", "60"), _label("50"), bye, _receive("200", goto=ENDED), *other]


def _scenario(steps: Sequence[str]) -> str:
    body = "\n".join([*steps, _label(ENDED), "<nop/>"])
    used = "" if "assign_to" not in body else '\n<Reference variables="from,to,cseq"/>'
    first = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">'
    return f'{first}\n<scenario name="phone">\n{body}{used}\n</scenario>\n'


def _send(lines: Sequence[str], body: Sequence[str] = (), kind: str = "", attributes: str = "") -> str:
    content = [f"Content-Type: {kind}"] if kind else []
    text = "\n".join([*lines, *content, "Content-Length: [len]", "", *body, ""])
    return f"<send{attributes}><![CDATA[\n{text}\n]]></send>"


def _to(label: str) -> str:
    return f' next="{label}"' if label else ""


def _invite() -> str:
    first = [f"INVITE {_CALLED} SIP/2.0", _VIA, f"From: {_CALLER}", f"To: <{_CALLED}>"]
    rest = ["Call-ID: [call_id]", "CSeq: 1 INVITE", "Max-Forwards: 70"]
    contact = "Contact: <sip:[number]@[local_ip]:[local_port]>"
    return _send([*first, *rest, contact], _MEDIA, "application/sdp", ' retrans="500"')


def _caller_says(method: str, sequence: int, goto: str = "") -> str:
    """Say CANCEL or the ACK of a refusal: both within the transaction of the INVITE."""
    to = "[last_To:]" if method == "ACK" else f"To: <{_CALLED}>"
    first = [f"{method} {_CALLED} SIP/2.0", "[last_Via:]", f"From: {_CALLER}", to]
    rest = ["Call-ID: [call_id]", f"CSeq: {sequence} {method}", "Max-Forwards: 70"]
    return _send([*first, *rest], attributes=_to(goto))


def _acknowledge() -> str:
    first = ["ACK [next_url] SIP/2.0", _VIA, "[last_From:]", "[last_To:]"]
    return _send([*first, "Call-ID: [call_id]", "CSeq: 1 ACK", "Max-Forwards: 70"])


def _bye_of_caller() -> str:
    first = ["BYE [next_url] SIP/2.0", _VIA, f"From: {_CALLER}", f"To: <{_CALLED}>[peer_tag_param]"]
    rest = ["Call-ID: [call_id]", "CSeq: 2 BYE", "Max-Forwards: 70"]
    return _send([*first, *rest], attributes=' retrans="500"')


def _invited() -> str:
    return f'<recv request="INVITE" rrs="true">{_CALLEE_SAVES}</recv>'


def _answer(status: str, *, tag: bool = True, goto: str = "") -> str:
    via, sender, to, *rest = _ECHOED
    ours = ";tag=[pid]p[call_number]" if tag and status != "200 OK" else ""
    contact = "Contact: <sip:phone@[local_ip]:[local_port]>"
    return _send([f"SIP/2.0 {status}", via, sender, to + ours, *rest, contact], attributes=_to(goto))


def _final(status: str, *, media: bool = False, contact: str = "phone") -> str:
    """Return the INVITE for good, although something else may have come last."""
    first = [f"SIP/2.0 {status}", "[last_Via:]", "From:[$from]", "To:[$to];tag=[pid]p[call_number]"]
    rest = ["Call-ID: [call_id]", "CSeq:[$cseq]", f"Contact: <sip:{contact}@[local_ip]:[local_port]>"]
    body, kind = (_MEDIA, "application/sdp") if media else ((), "")
    return _send([*first, *rest], body, kind, ' retrans="500"')


def _callee_says(
    method: str, sequence: int, header: str = "", body: Sequence[str] = (), kind: str = ""
) -> str:
    first = [f"{method} [next_url] SIP/2.0", _VIA, "From:[$to];tag=[pid]p[call_number]", "To:[$from]"]
    rest = ["Call-ID: [call_id]", f"CSeq: {sequence} {method}", "Max-Forwards: 70"]
    contact = "Contact: <sip:phone@[local_ip]:[local_port]>"
    more = [header] if header else []
    return _send([*first, *rest, contact, *more], body, kind, ' retrans="500"')


def _key(key: str, sequence: int) -> str:
    return _callee_says("INFO", sequence, "", (f"Signal={key}", "Duration=100"), "application/dtmf-relay")


def _receive(code: str, *, optional: bool = False, goto: str = "", extra: str = "") -> str:
    may = ' optional="true"' if optional else ""
    return f'<recv response="{code}"{may}{_to(goto)} {extra}/>'


def _receive_request(method: str, goto: str = "") -> str:
    return f'<recv request="{method}"{_to(goto)}/>'


def _or_else(method: str, within_ms: int, otherwise: str, goto: str) -> str:
    return f'<recv request="{method}" timeout="{within_ms}" ontimeout="{otherwise}"{_to(goto)}/>'


def _pause(ms: int) -> str:
    return f'<pause milliseconds="{ms}"/>'


def _label(name: str) -> str:
    return f'<label id="{name}"/>'


def _nop(goto: str) -> str:
    return f"<nop{_to(goto)}/>"
