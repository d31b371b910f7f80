"""Placetel, 3CX, Aircall, RingCentral and FreeSWITCH, from what they post to the record in Desk."""

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, func, select

from connector.contacts.cache import indexed
from connector.contacts.cards import from_desk
from connector.dialects import DIALECTS
from connector.phone_systems.setup import first_call
from connector.store import contacts, events, phones, tables
from connector.zoho import models
from tests.integration.dialects.vendors import Vendors
from tests.unit.dialects.vendor_posts import SHARED, aircall, epochs, form, leg, said, session

pytestmark = pytest.mark.anyio

CALLER, LINE = "+33123456789", "+33987654321"
BEGAN = 1_767_603_900
"""2026-01-05T09:05:00Z, in seconds."""


def bodies(dialect: str) -> list[bytes]:
    """Return the requests that tell of one inbound call, answered by 1001 after 6 s, for a minute."""
    return {
        "placetel": _placetel, "3cx": _threecx, "aircall": _aircall, "ringcentral": _ringcentral,
        "freeswitch": _freeswitch,
    }[dialect]()  # fmt: skip


def _placetel() -> list[bytes]:
    ends = {"call_id": "c", "from_": "0123456789", "to": "0987654321", "direction": "in"}
    return [
        form(event="IncomingCall", **ends),
        form(event="CallAccepted", peer="1001", **ends),
        form(event="HungUp", type="accepted", duration="60", **ends),
    ]


def _threecx() -> list[bytes]:
    moments = {"started": "09:05:00", "answered": "09:05:06", "ended": "09:06:06"}
    times = {name: f"2026-01-05T{moment}Z" for name, moment in moments.items()}
    return [said({"event": "report", "type": "Inbound", "number": CALLER, "agent": "1001", **times})]


def _aircall() -> list[bytes]:
    call: dict[str, Any] = {
        "id": 7, "direction": "inbound", "raw_digits": "+33 1 23 45 67 89", "started_at": BEGAN,
        "number": {"digits": "+33 9 87 65 43 21"},
    }  # fmt: skip
    over: dict[str, Any] = {"answered_at": BEGAN + 6, "ended_at": BEGAN + 66, "user": {"id": 1001}}
    return [aircall("call.created", **call), aircall("call.ended", **call, **over)]


def _ringcentral() -> list[bytes]:
    ends = {"id": "p-2", "direction": "Inbound", "from": {"phoneNumber": CALLER}, "to": {"phoneNumber": LINE}}
    party = ends | {"extensionId": "1001"}
    states = [("Setup", 0), ("Answered", 6), ("Disconnected", 66)]
    told = [session("s", party | {"status": {"code": code}}, second) for code, second in states]
    logged = {"telephonySessionId": "s", "startTime": "2026-01-05T09:05:00Z", "duration": 66}
    return [*told, said({"records": [ends | logged | {"result": "Accepted"}]})]


def _freeswitch() -> list[bytes]:
    part = {"direction": "outbound", "call_uuid": "u", "dialed_user": "1001", **epochs(2, 6, 66)}
    whole = {"direction": "inbound", "hangup_cause": "NORMAL_CLEARING", **epochs(0, 1, 66)}
    return [leg("u-1", CALLER, "1001", **part), leg("u", CALLER, LINE, **whole)]


@pytest.mark.parametrize("dialect", ["placetel", "3cx", "aircall", "ringcentral", "freeswitch"])
async def test_one_call_one_record(vendors: Vendors, dialect: str) -> None:
    """Posted twice, the call stands in Desk once, with its talk; whoever has no secret is refused."""
    for body in bodies(dialect) * 2:
        answer = await vendors.post(dialect, body)
        assert (answer.status_code, await vendors.unread(dialect)) == (200, [])
    nobodys = bodies(dialect)[0].replace(SHARED.encode(), b"another-token")
    assert (await vendors.place.client.post(f"/hooks/{dialect}", content=nobodys)).status_code == 401
    while await vendors.services.deliverer.once():
        pass
    (kept,) = vendors.place.sandbox.state.desk.dump_calls()
    assert (kept["direction"], kept["status"], kept["duration"]) == ("inbound", "Completed", "60")
    assert "1001" in kept["description"] or "Ada" in kept["description"]


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("openssl"), reason="wants curl and openssl")
@pytest.mark.parametrize("dialect", ["placetel", "3cx", "aircall", "ringcentral", "freeswitch"])
async def test_what_the_guides_post(vendors: Vendors, dialect: str) -> None:
    """Is what is printed once a phone system was added, and it comes to a call."""
    address = f"{vendors.place.client.base_url}/hooks/{dialect}"
    script = first_call(address, vendors.secrets[dialect], DIALECTS[dialect])
    script = re.sub("put the .* in here first", SHARED, script)
    done = await anyio.run_process(["sh", "-ec", script], env={"PATH": "/usr/bin:/bin"})
    assert b"urn:connector" not in done.stdout
    counted = await vendors.services.store.read(
        lambda c: c.execute(select(func.count()).select_from(tables.calls)).scalar_one()
    )
    assert (counted, await vendors.unread(dialect)) == (1, [])


@pytest.mark.parametrize("first", [0, 1])
async def test_calls_that_were_joined(vendors: Vendors, first: int) -> None:
    """Each may name the other, or one that nobody has heard of: there is one record all the same."""
    over = {"direction": "inbound", **epochs(0, 6, 66)}
    part = {"direction": "outbound", "call_uuid": "u", "transfer_source": "x", "dialed_user": "1001"}
    legs = [
        leg("u", CALLER, LINE, call_uuid="v-1", **over),
        leg("v-1", CALLER, "1001", **part, **epochs(2, 6, 66)),
    ]
    for body in (legs[first], legs[1 - first], leg("w", CALLER, LINE, call_uuid="never-heard", **over)):
        assert (await vendors.post("freeswitch", body)).status_code == 200
    while await vendors.services.deliverer.once():
        pass
    kept = [each["duration"] for each in vendors.place.sandbox.state.desk.dump_calls()]
    assert sorted(kept) == ["0", "60"]


async def test_ringcentrals_first_question(vendors: Vendors) -> None:
    """Is answered with the token that it brings, without a commit; a header within it never comes out."""
    answer = await vendors.place.client.post("/hooks/ringcentral", headers={"validation-token": "3f0a-bc"})
    assert (answer.status_code, answer.headers["validation-token"]) == (200, "3f0a-bc")
    # RingCentral takes no answer that is larger than 1,024 bytes, headers included.
    assert len(answer.content) + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw) < 800
    odd = await vendors.place.client.post("/hooks/ringcentral", headers={"validation-token": "a b"})
    assert (odd.status_code, "validation-token" in odd.headers) == (401, False)
    counted = await vendors.services.store.read(
        lambda c: c.execute(select(func.count()).select_from(tables.events)).scalar_one()
    )
    assert counted == 0


async def test_3cx_asks_for_a_name(vendors: Vendors) -> None:
    """And is told that of the contact, where names may be told; blocked callers have none."""
    phone = (await vendors.services.phone_systems.find("3cx")).phone
    known = indexed(from_desk(models.Contact(id="501", last_name="Grace Example", phone=CALLER)), ("FR",))

    def build(connection: Connection) -> None:
        contacts.put(connection, 1, [known], 1)
        phones.set_answers(connection, phone.id, tells_names=True, routes_to_owners=False)

    question = said({"event": "lookup", "number": CALLER})
    assert (await vendors.post("3cx", question)).json() == {"contacts": []}
    await vendors.services.store.write(build)
    vendors.services.phone_systems._cache.clear()
    named = {"contacts": [{"name": "Grace Example", "number": CALLER}]}
    assert (await vendors.post("3cx", question)).json() == named
    entry = phones.Blocked(pattern=CALLER, everywhere=True, reason="", created_at=1)
    await vendors.services.store.write(partial(phones.block, phone=phone, blocked=entry))
    assert (await vendors.post("3cx", question)).json() == {"contacts": []}


async def test_what_cannot_be_read_is_kept(vendors: Vendors) -> None:
    """Refused where that does no harm, answered where the vendor would give the address up."""
    wrong = {"placetel": b"event=HungUp", "ringcentral": b"{}", "aircall": aircall("call.ended"),
             "3cx": said({"event": "report"}), "freeswitch": b"{}"}  # fmt: skip
    for dialect, body in wrong.items():
        status = 422 if dialect in ("3cx", "freeswitch") else 200
        assert (await vendors.post(dialect, body)).status_code == status
        assert len(await vendors.unread(dialect)) == 1


@pytest.mark.parametrize("is_escaped", [False, True])
async def test_what_is_kept_holds_no_secret(vendors: Vendors, is_escaped: bool) -> None:  # noqa: FBT001 - a parameter
    """Aircall's token stands in the body, and is blanked in what people are shown."""
    body = aircall("call.ended", raw_digits=CALLER)
    if is_escaped:
        body = body.replace(SHARED.encode(), b"".join(rb"\u%04X" % byte for byte in SHARED.encode()))
    assert (await vendors.post("aircall", body)).status_code == 200
    phone = (await vendors.services.phone_systems.find("aircall")).phone
    [kept] = await vendors.services.store.read(lambda c: events.list_unread(c, phone.id))
    told = json.loads(kept.body)
    assert (told["token"], told["data"]) == ("***", {"raw_digits": CALLER})


ODD: tuple[Any, ...] = (
    "\x00",
    "\u202e",
    "\U0001f600",
    "x" * 3_000,
    "",
    "-1",
    "1e9",
    -1,
    1e308,
    10**30,
    True,
    None,
    [],
    {},
    [[]],
)
"""Stand where something else belongs."""


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where in a tree something stands."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*path, key)
        yield from _leaves(each, (*path, key))


def _changed(body: bytes, path: tuple[Any, ...], odd: Any) -> bytes:
    """Write a JSON body with something odd in one place."""
    whole = json.loads(body)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = odd
    return said(whole)


@pytest.mark.both_engines
@pytest.mark.parametrize("dialect", ["3cx", "aircall", "ringcentral", "freeswitch"])
async def test_odd_things_in_every_place(vendors: Vendors, dialect: str) -> None:
    """Nothing that stands anywhere is an error of ours: it is taken, kept unread, or refused by name."""
    body = bodies(dialect)[-1]
    for place, path in enumerate(_leaves(json.loads(body))):
        for odd in (ODD[place % len(ODD)], ODD[(place * 7 + 3) % len(ODD)]):
            answer = await vendors.post(dialect, _changed(body, path, odd))
            assert answer.status_code in (200, 401, 422), (path, odd)


@pytest.mark.both_engines
async def test_odd_things_in_forms(vendors: Vendors) -> None:
    """Nor in Placetel's fields, and in the lines of 3CX."""
    fields = {"event": "HungUp", "call_id": "c", "type": "accepted", "duration": "9", "from_": "0123456789"}
    for name in fields:
        for odd in filter(lambda one: isinstance(one, str), ODD):
            assert (await vendors.post("placetel", form(**fields | {name: str(odd)}))).status_code == 200
    row = f"7,7_1,,2026/01/05 10:00:00,,2026/01/05 10:00:30,,{CALLER},Ext.101".split(",")
    for place in range(len(row)):
        for odd in filter(lambda one: isinstance(one, str), ODD):
            line = ",".join([*row[:place], str(odd), *row[place + 1 :]])
            assert (await vendors.post("3cx", line.encode("utf-8", "replace"))).status_code == 200
