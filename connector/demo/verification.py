"""Compare what stands in Desk with what was played, record by record and field by field."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from connector.calls import call_key
from connector.clock import to_iso
from connector.demo.browser import Browser
from connector.demo.callers import number_of
from connector.demo.company import KEY_FIELD, RECORDING_FIELD, RECORDINGS
from connector.demo.environment import Environment, Setup
from connector.demo.sandbox_admin import Record
from connector.demo.scenarios import ExpectedContact, ExpectedRecord, KnownContact, NewContact
from connector.demo.simulator import PlayedScenario
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import outbox
from connector.store.outbox import State

LOOK_AGAIN_SECONDS = 0.2
UNDER_WAY: tuple[State, ...] = ("due", "sending", "unknown")
Counted = Mapping[State, int]
PLAYER = re.compile(r'<audio [^>]*src="([^"]+)"')
"""Finds the address of the sound in the page of a call's recordings."""


class ExpectedDeskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that must stand in Desk: what is expected, with Desk's ids in place of names.

    `recordings_at` is the page that its recording is linked to, None where it has none.
    """

    key: str
    expected: ExpectedRecord
    started_at: int
    owner_id: str | None
    department_id: str
    recordings_at: str | None = None


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What Desk holds: the run's call records, all contacts of the portal, and which were there before.

    `key_field` and `recording_field` are the custom fields that bear the call key and the recording.
    """

    calls: Sequence[Record]
    contacts: Sequence[Record]
    known_ids: Collection[str]
    key_field: str
    recording_field: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison came to; `problems` describes each in words."""

    delivered: int
    lost: int
    duplicated: int
    wrong: int
    contacts_duplicated: int
    problems: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Tell whether everything stands in Desk as it should, once."""
        return not (self.lost or self.duplicated or self.wrong or self.contacts_duplicated)


def compare(wanted: Sequence[ExpectedDeskRecord], desk: Desk) -> Verdict:
    """Compare every expected record with Desk's, and every one of Desk's with what is expected."""
    by_key = _by_key(wanted, desk)
    unexpected = by_key.pop("", [])
    lost = [each.key for each in wanted if not by_key.get(each.key)]
    doubles = [key for key, records in by_key.items() for _ in records[1:]]
    made = _made(desk)
    faults = [fault for each in wanted for record in by_key.get(each.key, ())[:1]
              if (fault := _fault(each, record, desk, made))]  # fmt: skip
    unexpected_faults = [
        f"call record {record['id']}: no call was played that it could be of" for record in unexpected
    ]
    twice = list(_twice(desk, made))
    return Verdict(
        delivered=sum(bool(records) for records in by_key.values()),
        lost=len(lost),
        duplicated=len(doubles),
        wrong=len(faults) + len(unexpected_faults),
        contacts_duplicated=len(twice),
        problems=(
            *(f"{key}: lost" for key in lost),
            *(f"{key}: recorded more than once" for key in doubles),
            *faults,
            *unexpected_faults,
            *twice,
        ),
    )


def _by_key(wanted: Sequence[ExpectedDeskRecord], desk: Desk) -> dict[str, list[Record]]:
    """Return Desk's records by the call key that they bear; under "" those with none that is expected."""
    keys = {each.key for each in wanted}
    found: dict[str, list[Record]] = defaultdict(list)
    for record in desk.calls:
        words = set((record["description"] or "").split())
        borne = {(record["cf"] or {}).get(desk.key_field)} | words
        found[next(iter(keys & borne), "")].append(record)
    return found


def _made(desk: Desk) -> dict[str | None, list[str]]:
    """Return the ids of the contacts that the connector made, by number; None is no number."""
    made: dict[str | None, list[str]] = defaultdict(list)
    for contact in desk.contacts:
        if contact["id"] not in desk.known_ids:
            text = contact["phone"] or contact["mobile"]
            made[number_of(text) or text].append(contact["id"])
    return made


def _fault(
    wanted: ExpectedDeskRecord, record: Record, desk: Desk, made: Mapping[str | None, list[str]]
) -> str | None:
    """Return in which fields a record is not what it should be; None where it is right."""
    cf, expected = record["cf"] or {}, wanted.expected
    fields = {
        "direction": (expected.direction, record["direction"]),
        "status": (expected.status, record["status"]),
        "duration": (str(expected.duration_seconds), record["duration"]),
        "startTime": (to_iso(wanted.started_at), record["startTime"]),
        "ownerId": (wanted.owner_id, record["ownerId"]),
        "departmentId": (wanted.department_id, record["departmentId"]),
        "recordingUrl": (wanted.recordings_at, record["recordingUrl"]),
        f"cf/{desk.recording_field}": (wanted.recordings_at, cf.get(desk.recording_field)),
        f"cf/{desk.key_field}": (wanted.key, cf.get(desk.key_field)),
        "key in description": (True, wanted.key in (record["description"] or "").split()),
        "contactId": (_contact_id(expected.contact, made), record["contactId"]),
        "isTrashed": (False, record["isTrashed"]),
    }
    wrong = [f"{name} is {is_!r} and should be {should!r}" for name, (should, is_) in fields.items()
             if is_ != should]  # fmt: skip
    return f"{wanted.key} ({expected.call}): {'; '.join(wrong)}" if wrong else None


def _contact_id(contact: ExpectedContact, made: Mapping[str | None, list[str]]) -> str | None:
    """Return whose record it must be; of a contact that was made more than once, the first one's."""
    if isinstance(contact, KnownContact):
        return contact.contact_id
    ids = made.get(contact.number if isinstance(contact, NewContact) else None)
    return ids[0] if ids else None


def _twice(desk: Desk, made: Mapping[str | None, list[str]]) -> Iterator[str]:
    """Yield which contacts there are more than once: two were made, or one although there was one before."""
    before = Counter(
        number
        for contact in desk.contacts
        if contact["id"] in desk.known_ids
        for number in {number_of(contact["phone"]), number_of(contact["mobile"])} - {None}
    )
    for number, ids in made.items():
        spare = ids if number is not None and before[number] else ids[1:]
        yield from (f"contact {each}: one more for {number or 'withheld numbers'}" for each in spare)


async def _ignore(_counted: Counted) -> None:
    """Do nothing."""


async def wait_until_delivered(
    env: Environment, give_up_seconds: float, report: Callable[[Counted], Awaitable[None]] = _ignore
) -> None:
    """Wait until no delivery is under way any more, or none has moved for so long.

    `report` gets how many there are in each state whenever that has changed.
    """
    loop = asyncio.get_running_loop()
    last: Counted = {}
    moved_at = loop.time()
    while loop.time() - moved_at < give_up_seconds:
        counted = await env.services.store.read(outbox.count_by_state)
        if not any(counted.get(state) for state in UNDER_WAY):
            return
        if counted != last:
            last, moved_at = counted, loop.time()
            await report(counted)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def verify(
    env: Environment, played: Sequence[PlayedScenario], before: Sequence[Record]
) -> tuple[Verdict, Desk]:
    """Compare what was played with what Desk holds now; `before` are the contacts that it knew already."""
    desk = Desk(
        calls=await env.sandbox_admin.calls(),
        contacts=await env.sandbox_admin.contacts(DEMO_ORG_ID),
        known_ids={contact["id"] for contact in before},
        key_field=KEY_FIELD,
        recording_field=RECORDING_FIELD,
    )
    return compare(expected_records(env.setup, played), desk), desk


def expected_records(setup: Setup, played: Sequence[PlayedScenario]) -> list[ExpectedDeskRecord]:
    """Return the records that played calls must have left."""
    return [_wanted(setup, each, expected) for each in played for expected in each.scenario.records]


def _wanted(setup: Setup, played: PlayedScenario, expected: ExpectedRecord) -> ExpectedDeskRecord:
    department = setup.departments[expected.department] if expected.department else None
    key = call_key(setup.phone.uid, expected.call)
    return ExpectedDeskRecord(
        key=key,
        expected=expected,
        started_at=played.begun_at + expected.starts_ms,
        owner_id=setup.agents[expected.owner] if expected.owner else setup.portal.default_owner_id,
        department_id=department or str(setup.portal.default_department_id),
        recordings_at=f"{setup.origin}/recordings/{key}" if expected.recording_url else None,
    )


async def recording_problems(
    browser: Browser, wanted: Sequence[ExpectedDeskRecord], folder: Path
) -> list[str]:
    """Return, in words, which recordings cannot be played whole; `browser`'s person may hear all."""
    problems = [await _problem(browser, each, folder) for each in wanted if each.recordings_at]
    return [problem for problem in problems if problem]


async def _problem(browser: Browser, wanted: ExpectedDeskRecord, folder: Path) -> str | None:
    page = await browser.get(urlsplit(wanted.recordings_at or "").path)
    player = PLAYER.search(page.text)
    if page.status_code != HTTPStatus.OK or player is None:
        return f"{wanted.key}: its recording has no player ({page.status_code})"
    sound = await browser.get(player[1])
    kept = (folder / (wanted.expected.recording_url or "").removeprefix(RECORDINGS)).read_bytes()
    if sound.content != kept:
        return f"{wanted.key}: its recording sounds different ({sound.status_code})"
    return None
