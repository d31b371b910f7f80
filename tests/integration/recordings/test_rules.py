"""Who may hear a recording, what is written down of it, and what Desk is given."""

from functools import partial

import pytest

from connector.clock import DAY
from connector.maintenance import Erasure
from connector.recordings import piece_of
from connector.store import phones, retention
from tests.integration.recordings.listeners import LOOPBACK, Listeners
from tests.integration.recordings.upstream import WAV, Upstream, by_range

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


@pytest.fixture
async def key(listeners: Listeners, upstream: Upstream) -> str:
    """Have a call that Ada answered, with a recording."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    return await listeners.call("c-1", f"{upstream.origin}/1.wav")


async def test_stranger_signs_in_first(listeners: Listeners, key: str) -> None:
    """A link from Desk leads a stranger to signing in, and from there back to the page."""
    answer = await listeners.page(None, key)
    assert answer.status_code == 401
    assert f'href="/login?next=%2Frecordings%2F{key}"' in answer.text
    assert (await listeners.hear(None, key, "x")).status_code == 401


WHO = (("ada", 200), ("bruno", 403), ("sue", 200), ("adam", 200))


@pytest.mark.parametrize("name", ["ada", "bruno", "sue"])
@pytest.mark.parametrize("wanted", ["stands", "taken back"])
async def test_an_internal_call(listeners: Listeners, upstream: Upstream, name: str, wanted: str) -> None:
    """Both colleagues may hear it, and supervisors; also once no more of them are recorded."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    write = listeners.services.store.write
    await write(partial(phones.set_records_internal, phone_id=1, records_internal=True))
    among_us = {"direction": "internal", "from": "1001", "to": "1002"}
    key = await listeners.call("i-1", f"{upstream.origin}/1.wav", agent="1002", **among_us)
    await write(partial(phones.set_records_internal, phone_id=1, records_internal=wanted == "stands"))
    page = await listeners.page(f"{name}@example.com", key)
    assert (page.status_code, "Internal, answered" in page.text) == (200, True)


async def test_who_came_later(listeners: Listeners, upstream: Upstream) -> None:
    """Nobody hears what was said before they were added, though the phone system knew their address."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    key = await listeners.call("n-1", f"{upstream.origin}/1.wav", agent="newcomer@example.com")
    await listeners.add("newcomer@example.com", "New")
    assert (await listeners.page("newcomer@example.com", key)).status_code == 403


@pytest.mark.parametrize(("name", "status"), WHO)
async def test_who_may_hear(
    listeners: Listeners, upstream: Upstream, key: str, name: str, status: int
) -> None:
    """Who took part may, and supervisors and administrators; colleagues may not, and both is written down."""
    email = f"{name}@example.com"
    page = await listeners.page(email, key)
    heard = await listeners.hear(email, key, f"{upstream.origin}/1.wav")
    assert (page.status_code, heard.status_code) == (status, status)
    if status == 200:
        assert heard.content == WAV
        assert await listeners.accesses() == [(name, "opened", 1), (name, "played", 1)]
    else:
        assert WAV not in heard.content
        assert sorted(await listeners.accesses()) == [(name, "refused", 1), (name, "refused", 1)]


async def test_what_is_heard_in_parts_is_one_access(
    listeners: Listeners, upstream: Upstream, key: str
) -> None:
    """A player that asks stretch by stretch is one listener, and ten minutes later is another."""
    url = f"{upstream.origin}/1.wav"
    for first in (0, 100, 200):
        assert (await listeners.hear(ADA, key, url, Range=f"bytes={first}-")).status_code == 206
    assert await listeners.accesses() == [("ada", "played", 3)]
    listeners.listen_with(later_seconds=601)
    await listeners.hear(ADA, key, url)
    assert await listeners.accesses() == [("ada", "played", 3), ("ada", "played", 1)]


async def test_whose_calls_a_successor_hears(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """Who is given an extension hears the calls from then on, not those of whoever had it before."""
    await listeners.words(ADA, "1009")
    await listeners.words("bruno@example.com", "1001")
    url = f"{upstream.origin}/1.wav"
    for name, status in (("ada", 403), ("bruno", 403), ("sue", 200)):
        assert (await listeners.hear(f"{name}@example.com", key, url)).status_code == status
    newer = await listeners.call("c-2", url)
    assert (await listeners.hear("bruno@example.com", newer, url)).status_code == 200


@pytest.mark.both_engines
async def test_whose_extension_hid_anothers(listeners: Listeners, upstream: Upstream) -> None:
    """A word of all phone systems means nobody's calls of the time when one of them meant another by it."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    change = listeners.services.agents.change_agent
    await change("bruno@example.com", extensions=[(None, "1007")], actor="test")
    await change(ADA, extensions=[("pbx", "1007")], actor="test")
    url = f"{upstream.origin}/1.wav"
    hers = await listeners.call("c-7", url, agent="1007")
    assert (await listeners.hear(ADA, hers, url)).status_code == 200
    await change(ADA, extensions=[], actor="test")
    assert (await listeners.hear("bruno@example.com", hers, url)).status_code == 403


async def test_who_keeps_an_extension_keeps_its_calls(
    listeners: Listeners, upstream: Upstream, key: str
) -> None:
    """An agent who gets another extension beside it still hears what was."""
    await listeners.words(ADA, "1001", "1009")
    assert (await listeners.page(ADA, key)).status_code == 200


@pytest.mark.both_engines
async def test_messages_are_for_those_who_were_rung(listeners: Listeners, upstream: Upstream) -> None:
    """Where nobody answered, whoever was rung may hear what the caller left."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    url = f"{upstream.origin}/1.wav"
    rung = [listeners.place.event("ringing", "v-1", agent=agent) for agent in ("1001", "1002")]
    left = listeners.place.event("recorded", "v-1", recording_url=url)
    await listeners.place.post(*rung, listeners.place.event("ended", "v-1", cause="voicemail"), left)
    key = await listeners.key("v-1")
    for name, status in (("ada", 200), ("bruno", 200), ("chiara", 403)):
        assert (await listeners.hear(f"{name}@example.com", key, url)).status_code == status


async def test_a_call_group_is_one_page(listeners: Listeners, upstream: Upstream) -> None:
    """A call that was handed on is one page with all its recordings, for everybody who answered."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    upstream.answers["/2.wav"] = by_range
    first, second = (f"{upstream.origin}/{name}.wav" for name in (1, 2))
    keys = [
        await listeners.call("f-1", first),
        await listeners.call("f-2", second, agent="1002", parent="f-1"),
    ]
    for key in keys:
        for name in ("ada", "bruno"):
            page = await listeners.page(f"{name}@example.com", key)
            assert page.status_code == 200
            assert page.text.count("<audio ") == 2
            assert "Ada, Bruno" in page.text
        assert (await listeners.page("chiara@example.com", key)).status_code == 403


async def test_one_bad_recording_hides_no_other(listeners: Listeners, upstream: Upstream) -> None:
    """What can be heard is there, and what cannot says why; the page itself is well."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    key = await listeners.call("c-1", f"{upstream.origin}/1.wav", f"{upstream.origin}/none.wav")
    page = await listeners.page(ADA, key)
    assert (page.status_code, page.text.count("<audio ")) == (200, 1)
    assert "Recording 2: The recording is not there yet" in page.text


async def test_more_recordings_than_a_page_shows(listeners: Listeners, upstream: Upstream) -> None:
    """A page tries twenty, and says how many more there are."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    key = await listeners.call("c-1", *(f"{upstream.origin}/1.wav?{n}" for n in range(23)))
    page = await listeners.page(ADA, key)
    assert page.text.count("<audio ") == 20
    assert "3 more are not shown" in page.text


async def test_facts_of_the_call(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """The page tells whom it was with, when by the phone system's clocks, and how long."""
    page = await listeners.page(ADA, key)
    for fact in (
        "+44 20 7946 0001",
        "Inbound, answered",
        "(Europe/London)",
        "PBX",
        "Signed in as Ada",
    ):
        assert fact in page.text
    assert "media-src 'self'" in page.headers["content-security-policy"]
    assert upstream.origin not in page.text


@pytest.mark.both_engines
async def test_contact_and_record(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """Once Desk has the record, the page names its contact and leads back to it; Desk leads to the page."""
    place = listeners.place
    place.sandbox.state.desk.add_contact(last_name="Hopper", first_name="Grace", phone="+442079460001")
    while await place.services.deliverer.once():
        pass
    (record,) = place.sandbox.state.desk.dump_calls()
    assert record["recordingUrl"] == f"{listeners.services.settings.public_url}/recordings/{key}"
    assert upstream.origin not in str(record)
    page = await listeners.page(ADA, key)
    assert record["id"] in page.text
    assert "Grace Hopper" in page.text


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("rule", "kept"),
    [("nobody", ()), ("supervisors", ("sue", "adam")), ("listeners", ("ada", "sue", "adam"))],
)
async def test_who_may_keep_a_copy(
    listeners: Listeners, upstream: Upstream, key: str, rule: str, kept: tuple[str, ...]
) -> None:
    """Copies are the portal's choice, each is written down, and so is each refusal."""
    await listeners.services.portals.configure(1, recording_downloads=rule, actor="test")
    url = f"{upstream.origin}/1.wav"
    for name in ("ada", "sue", "adam"):
        copy = await listeners.hear(f"{name}@example.com", key, url, "?keep")
        page = await listeners.page(f"{name}@example.com", key)
        assert (copy.status_code == 200, "?keep" in page.text) == (name in kept, name in kept)
        assert (name, "downloaded" if name in kept else "refused", 1) in await listeners.accesses()
        if name in kept:
            assert copy.headers["content-disposition"].startswith('attachment; filename="call-')


async def test_calls_without_anything_to_hear(listeners: Listeners) -> None:
    """A call that goes on, one without a recording, one that is unknown: each says what it is."""
    place = listeners.place
    await place.post(place.event("answered", "on", agent="1001"))
    page = await listeners.page(ADA, await listeners.key("on"))
    assert (page.status_code, "still going on" in page.text) == (404, True)
    page = await listeners.page(ADA, await listeners.call("none"))
    assert (page.status_code, "not reported a recording" in page.text) == (404, True)
    inside: dict[str, str] = {"direction": "internal", "from": "1001", "to": "1002"}
    page = await listeners.page(ADA, await listeners.call("in", "https://a.example/1.wav", **inside))
    assert (page.status_code, "Calls among colleagues" in page.text) == (404, True)
    for path in ("zpcaaaaaaaaaaaaaaaaaaaaaaaa", "../../etc/passwd", "a b", "x" * 60):
        assert (await listeners.page(ADA, path)).status_code == 404


async def test_other_pieces_are_no_pieces(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """A recording is reached by its own call only."""
    other = await listeners.call("c-2", f"{upstream.origin}/2.wav", agent="1002")
    assert (await listeners.hear(ADA, key, f"{upstream.origin}/2.wav")).status_code == 404
    assert (await listeners.hear(ADA, other, f"{upstream.origin}/2.wav")).status_code == 403


async def test_deactivated_agent_hears_nothing(listeners: Listeners, key: str) -> None:
    """Who is out is out here too."""
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    await listeners.services.agents.deactivate(ADA, actor="test")
    answer = await listeners.place.client.get(f"/recordings/{key}", headers=cookie)
    assert answer.status_code == 401


@pytest.mark.both_engines
async def test_nothing_is_heard_unnoted(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """Where the access cannot be written down, there is no recording."""
    url = f"{upstream.origin}/1.wav"
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    upstream.asked.clear()
    listeners.services.store.write_now(
        lambda c: c.exec_driver_sql("ALTER TABLE recording_accesses RENAME TO elsewhere")
    )
    path = f"/recordings/{key}/{piece_of(url)}"
    assert (await listeners.place.client.get(path, headers=cookie)).status_code >= 500
    assert not upstream.asked


@pytest.mark.both_engines
async def test_programs_may_read_who_listened(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """An administrator's key lists accesses, of one call where that is wanted; a supervisor's does not."""
    await listeners.hear(ADA, key, f"{upstream.origin}/1.wav")
    other = await listeners.call("c-2", f"{upstream.origin}/1.wav")
    await listeners.hear(ADA, other, f"{upstream.origin}/1.wav")
    administrator = await listeners.services.keys.add_key("a", "administrator", actor="test")
    supervisor = await listeners.services.keys.add_key("s", "supervisor", actor="test")
    bearer = {"authorization": f"Bearer {administrator}"}
    told = await listeners.place.client.get(f"/api/admin/recordings?call={key}", headers=bearer)
    (access,) = told.json()["accesses"]
    assert (access["user"], access["what"], access["call"]) == (ADA, "played", key)
    assert (access["phone_system"], access["times"]) == ("pbx", 1)
    everything = await listeners.place.client.get("/api/admin/recordings", headers=bearer)
    assert [one["call"] for one in everything.json()["accesses"]] == [other, key]
    refused = await listeners.place.client.get(
        "/api/admin/recordings", headers={"authorization": f"Bearer {supervisor}"}
    )
    assert refused.status_code == 403


async def test_forgotten_calls_leave_no_trace(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """Erasing a caller erases who heard them, and the page has nothing to show any more."""
    await listeners.hear(ADA, key, f"{upstream.origin}/1.wav")
    erasure = Erasure(listeners.services.store, listeners.services.clock)
    erased = await erasure.number("+442079460001", actor="test", even_undelivered=True)
    assert (erased.calls, erased.accesses) == (1, 1)
    assert await listeners.accesses() == []
    assert (await listeners.page("sue@example.com", key)).status_code == 404


async def test_accesses_go_with_their_calls(listeners: Listeners, upstream: Upstream, key: str) -> None:
    """What is pruned is pruned whole."""
    await listeners.hear(ADA, key, f"{upstream.origin}/1.wav")
    while await listeners.services.deliverer.once():
        pass
    future = listeners.services.clock() + DAY
    step = await listeners.services.store.write(lambda c: retention.prune_calls(c, future, retention.START))
    assert step.rows >= 6
    assert await listeners.accesses() == []
    page = await listeners.page(ADA, key)
    assert (page.status_code, "older than calls are kept" in page.text) == (404, True)
