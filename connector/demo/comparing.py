"""Compare what stands in Desk with what was said on the phone, record by record and field by field; pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from connector.clock import to_iso
from connector.demo.callers import number_of
from connector.demo.control import Record
from connector.demo.stories import Contact, Due, Known, Stranger


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A record that must stand in Desk: what is due, with Desk's ids in place of names.

    `recordings_at` is the page that its recording is linked to, None where it has none.
    """

    key: str
    due: Due
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
    """What the comparison came to; `problems` says of each in words."""

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


def compare(wanted: Sequence[Wanted], desk: Desk) -> Verdict:
    """Hold every record that is wanted against Desk, and every one of Desk's against what is wanted."""
    by_key = _by_key(wanted, desk)
    strays = by_key.pop("", [])
    lost = [each.key for each in wanted if not by_key.get(each.key)]
    doubles = [key for key, records in by_key.items() for _ in records[1:]]
    made = _made(desk)
    faults = [fault for each in wanted for record in by_key.get(each.key, ())[:1]
              if (fault := _fault(each, record, desk, made))]  # fmt: skip
    stray_faults = [f"call record {record['id']}: nothing is due that it tells of" for record in strays]
    twice = list(_twice(desk, made))
    return Verdict(
        delivered=sum(bool(records) for records in by_key.values()),
        lost=len(lost),
        duplicated=len(doubles),
        wrong=len(faults) + len(stray_faults),
        contacts_duplicated=len(twice),
        problems=(
            *(f"{key}: lost" for key in lost),
            *(f"{key}: recorded more than once" for key in doubles),
            *faults,
            *stray_faults,
            *twice,
        ),
    )


def _by_key(wanted: Sequence[Wanted], desk: Desk) -> dict[str, list[Record]]:
    """Sort Desk's records by the key that they bear; under "" are those that bear none that is wanted."""
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


def _fault(wanted: Wanted, record: Record, desk: Desk, made: Mapping[str | None, list[str]]) -> str | None:
    """Say in which fields a record is not what it should be."""
    cf, due = record["cf"] or {}, wanted.due
    fields = {
        "direction": (due.direction, record["direction"]),
        "status": (due.status, record["status"]),
        "duration": (str(due.duration_seconds), record["duration"]),
        "startTime": (to_iso(wanted.started_at), record["startTime"]),
        "ownerId": (wanted.owner_id, record["ownerId"]),
        "departmentId": (wanted.department_id, record["departmentId"]),
        "recordingUrl": (wanted.recordings_at, record["recordingUrl"]),
        f"cf/{desk.recording_field}": (wanted.recordings_at, cf.get(desk.recording_field)),
        f"cf/{desk.key_field}": (wanted.key, cf.get(desk.key_field)),
        "key in description": (True, wanted.key in (record["description"] or "").split()),
        "contactId": (_contact_id(due.contact, made), record["contactId"]),
        "isTrashed": (False, record["isTrashed"]),
    }
    wrong = [f"{name} is {is_!r} and should be {should!r}" for name, (should, is_) in fields.items()
             if is_ != should]  # fmt: skip
    return f"{wanted.key} ({due.call}): {'; '.join(wrong)}" if wrong else None


def _contact_id(contact: Contact, made: Mapping[str | None, list[str]]) -> str | None:
    """Return whose record it must be; of a contact that was made more than once, the first one's."""
    if isinstance(contact, Known):
        return contact.contact_id
    ids = made.get(contact.number if isinstance(contact, Stranger) else None)
    return ids[0] if ids else None


def _twice(desk: Desk, made: Mapping[str | None, list[str]]) -> Iterator[str]:
    """Say which contacts there are more than once: two were made, or one although there was one before."""
    before = Counter(
        number
        for contact in desk.contacts
        if contact["id"] in desk.known_ids
        for number in {number_of(contact["phone"]), number_of(contact["mobile"])} - {None}
    )
    for number, ids in made.items():
        spare = ids if number is not None and before[number] else ids[1:]
        yield from (f"contact {each}: one more for {number or 'withheld numbers'}" for each in spare)
