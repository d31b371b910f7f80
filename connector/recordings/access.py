"""Let people hear recordings: who may, what is there, and a note of everyone who did.

Whoever took part in the call may hear it: who answered, else who was rung; so may supervisors and
administrators. All but administrators need a profile that lets them listen.
Taking part counts from when the agent was given the extension, so that nobody hears the calls of whoever had
it before.
"""

import asyncio
import logging
from base64 import b32encode
from collections import Counter
from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import msgspec
from sqlalchemy import Connection

from connector.calls import CallRecord, NotRecorded, Recording, not_recorded
from connector.casing import ascii_lower
from connector.clock import MINUTE, Clock
from connector.contacts import ContactLookup
from connector.crm import EVERYONE, Profile, Profiles
from connector.crm.seeing import sees_name, sees_names
from connector.crypto import Encryptor
from connector.errors import (
    ConnectorError,
    NotAllowed,
    NotFound,
    RangeNotSatisfiable,
    RecordingMissing,
    RecordingNotYet,
    RecordingUnknown,
    TooManyRequests,
)
from connector.logs import about
from connector.recordings import folder, sources
from connector.recordings.audio import BEGINNING, Audio, Range
from connector.recordings.facts import CallerNames, Facts, call_record, facts, goes_on, known_calls, listeners
from connector.recordings.fetching import Fetcher
from connector.store import Store, users
from connector.store import recordings as table
from connector.store.recordings import AccessKind, RecordedCall
from connector.store.users import User

SHOWN_AT_MOST = 20
"""Recordings of one call that its page shows."""

OPEN_AT_MOST = 100
"""Recordings that this process hands on at a time; each holds a connection and a file."""

EACH_AT_MOST = 10
"""Of these, what one person may have open: more than a browser plays, too few to keep others out."""

TRIED_AT_MOST = 10
"""Recordings that this process tries at a time, for pages that show whether they are there."""

MAY_STILL_COME = 15 * MINUTE
"""Phone systems finish recordings some minutes after the call."""

HEAR_ALL = ("supervisor", "administrator")

log = logging.getLogger(__name__)

PATH = "/recordings/"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One recording of a call; `problem` says why it cannot be heard."""

    id: str
    seconds: int | None
    problem: ConnectorError | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who may hear a call is shown of it."""

    key: str
    facts: Facts
    pieces: tuple[Piece, ...]
    left_out: int
    may_keep: bool


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that somebody listens to, and when its call began."""

    audio: Audio
    started_at: int


class _Access(msgspec.Struct, frozen=True):
    """A recorded call, whether somebody may hear it, and with which profile they work."""

    recorded: RecordedCall
    told: CallRecord
    names: dict[str, str]
    may_hear: bool
    profile: Profile = EVERYONE

    @property
    def root_id(self) -> int:
        return self.recorded.call_group[0].id


class Recordings:
    """Show and hand on the recordings of calls."""

    def __init__(
        self,
        store: Store,
        encryptor: Encryptor,
        clock: Clock,
        contact_lookup: ContactLookup,
        profiles: Profiles,
        fetcher: Fetcher | None = None,
        open_at_most: int = OPEN_AT_MOST,
        each_at_most: int = EACH_AT_MOST,
    ) -> None:
        self._store = store
        self._encryptor = encryptor
        self._clock = clock
        self._profiles = profiles
        self._caller_names = CallerNames(contact_lookup)
        self._fetcher = fetcher or Fetcher()
        self._open_at_most = open_at_most
        self._each_at_most = each_at_most
        self._open: Counter[int] = Counter()
        self._trying = asyncio.Semaphore(TRIED_AT_MOST)
        self._heard: set[Audio] = set()

    async def page(self, user: User, key: str) -> Page:
        """Return what a call's page shows, each recording tried.

        Raises NotAllowed, or RecordingMissing where none has been told of.
        """
        access = await self._access(user, key)
        await self._note(access, user, "opened")
        found = access.told.recordings
        if not found:
            raise self._missing(access, "The phone system has not reported a recording of this call.")
        contact, pieces = await asyncio.gather(
            self._name(access),
            self._try_all(access, found[:SHOWN_AT_MOST]),
        )
        return Page(
            key=key,
            facts=_seen_facts(access, contact),
            pieces=pieces,
            left_out=max(0, len(found) - SHOWN_AT_MOST),
            may_keep=_may_keep(user, access.recorded),
        )

    async def hear(self, user: User, key: str, piece: str, part: Range | None, *, keep: bool) -> Heard:
        """Open one recording, noted before its first byte leaves; the caller closes it.

        Raises NotFound, NotAllowed, RangeNotSatisfiable, TooManyRequests or any RecordingError.
        """
        access = await self._access(user, key, piece)
        found = next((one for one in access.told.recordings if piece_of(one.url) == piece), None)
        if found is None:
            raise NotFound("This call has no such recording.")
        if keep and not _may_keep(user, access.recorded):
            await self._note(access, user, "refused", piece)
            raise NotAllowed("Copies of recordings are not handed out here; listen to it on its page.")
        if self._open.total() >= self._open_at_most or self._open[user.id] >= self._each_at_most:
            raise TooManyRequests("Too many recordings are being listened to at the moment.", 5)
        self._open[user.id] += 1
        try:
            await self._note(access, user, "downloaded" if keep else "played", piece)
            audio = await self._opened(access, found, part)
        except BaseException:
            self._close(user.id)
            raise
        self._heard.add(audio)
        audio.on_close(partial(self._heard.discard, audio))
        audio.on_close(partial(self._close, user.id))
        return Heard(audio=audio, started_at=access.told.started_at)

    def end(self) -> None:
        """Stop handing recordings on: the server is stopping, and players ask again for what they miss."""
        for audio in list(self._heard):
            audio.end()

    async def check(self, key: str) -> tuple[Piece, ...]:
        """Try each recording of a call, for who sets the connector up; RecordingUnknown without one."""
        recorded = await self._store.read(partial(table.recorded_call, key=key, now=self._clock()))
        told = None if recorded is None else call_record(recorded)
        if recorded is None or told is None:
            raise RecordingUnknown("No call that is over and leaves a record has this key.")
        access = _Access(recorded, told, {}, may_hear=True)
        return await self._try_all(access, told.recordings)

    def _close(self, user_id: int) -> None:
        self._open[user_id] -= 1
        if not self._open[user_id]:
            del self._open[user_id]

    async def _access(self, user: User, key: str, piece: str = "") -> _Access:
        found = await self._store.read(partial(_read, key=key, user=user, now=self._clock()))
        if found is None:
            raise RecordingUnknown("No call has this address, or it is older than calls are kept.")
        if isinstance(found, RecordedCall):
            raise self._without_record(found)
        if not found.may_hear:
            await self._note(found, user, "refused", piece)
            raise NotAllowed(
                f"This recording is for those who took part in the call, for supervisors and administrators: "
                f"one of them can play it to you. You are signed in as {user.email}."
            )
        profile = await self._profiles.active(user.id)
        if user.role != "administrator" and not profile.access.may_listen:
            await self._note(found, user, "refused", piece)
            raise NotAllowed(
                f"The profile {profile.name}, with which you work, does not let you listen to recordings: "
                "choose another one in the banner, or ask an administrator."
            )
        return _Access(found.recorded, found.told, found.names, found.may_hear, profile)

    async def _name(self, access: _Access) -> str | None:
        """Return the contact's name where the profile shows it; else nobody is asked for it."""
        portal_id = access.recorded.portal.id
        if not sees_names(access.profile, portal_id):
            return None
        name = await self._caller_names.name(access.recorded, access.told)
        return name if name and sees_name(access.profile, portal_id, name) else None

    def _without_record(self, recorded: RecordedCall) -> ConnectorError:
        if not known_calls(recorded):
            return RecordingUnknown("What was known of this call has been erased.")
        if goes_on(recorded):
            return RecordingNotYet("The call is still going on.")
        if not_recorded(known_calls(recorded)) is NotRecorded.INTERNAL:
            return RecordingUnknown("Calls among colleagues leave no record, and so no page.")
        return RecordingUnknown(
            "This call leaves no record, and so no page: an administrator sees why in the list of calls that "
            "are not recorded."
        )

    async def _note(self, access: _Access, user: User, what: AccessKind, piece: str = "") -> None:
        now = self._clock()
        await self._store.write(
            lambda c: table.note(c, access.root_id, user.id, what, piece, now),
        )
        with about(call=access.recorded.call_group[0].key):
            log.info("recording", extra={"what": what, "user": user.id})

    async def _try_all(self, access: _Access, recordings: Sequence[Recording]) -> tuple[Piece, ...]:
        return tuple(await asyncio.gather(*(self._try_in_turn(access, one) for one in recordings)))

    async def _try_in_turn(self, access: _Access, recording: Recording) -> Piece:
        async with self._trying:
            return await self._try(access, recording)

    async def _try(self, access: _Access, recording: Recording) -> Piece:
        """Open a recording and close it again, so that its page can say what is wrong with it."""
        piece = Piece(id=piece_of(recording.url), seconds=recording.seconds)
        try:
            await (await self._opened(access, recording, BEGINNING)).close()
        except ConnectorError as problem:
            return msgspec.structs.replace(piece, problem=problem)
        return piece

    async def _opened(self, access: _Access, recording: Recording, part: Range | None) -> Audio:
        try:
            return await self._open_one(access.recorded, recording, part)
        except (RecordingMissing, RangeNotSatisfiable) as problem:
            if isinstance(problem, RangeNotSatisfiable) and problem.total != 0:
                raise
            raise self._missing(access, str(problem)) from problem

    async def _open_one(self, recorded: RecordedCall, recording: Recording, part: Range | None) -> Audio:
        source = sources.opened(recorded.source, self._encryptor)
        names = folder.place_in(recording.url, source.folder_address) if source.folder else None
        if source.folder and names is not None:
            return await folder.open_file(source.folder, names, part)
        return await self._fetcher.open(recording.url, source, part)

    def _missing(self, access: _Access, why: str) -> RecordingMissing:
        heard_at = max(call.heard_at for call in known_calls(access.recorded))
        is_fresh = heard_at > self._clock() - MAY_STILL_COME
        return RecordingNotYet(why) if is_fresh else RecordingMissing(why)


def _read(connection: Connection, key: str, user: User, now: int) -> _Access | RecordedCall | None:
    recorded = table.recorded_call(connection, key, now)
    told = None if recorded is None else call_record(recorded)
    if recorded is None or told is None:
        return recorded
    words = listeners(told, recorded.phone.country)
    known = users.by_words(connection, recorded.phone.id, words)
    names = {word: one.name for word, one in known.items()}
    took_part = users.was_meant(connection, user.id, recorded.phone.id, words, told.started_at)
    return _Access(recorded, told, names, user.role in HEAR_ALL or took_part)


def _seen_facts(access: _Access, contact: str | None) -> Facts:
    found = facts(access.recorded, access.told, access.names, contact)
    sees_record = access.profile.sees_object(access.recorded.portal.id, "calls")
    return found if sees_record else msgspec.structs.replace(found, desk_url=None)


def _may_keep(user: User, recorded: RecordedCall) -> bool:
    rule = recorded.portal.recording_downloads
    return rule == "listeners" or (rule == "supervisors" and user.role in HEAR_ALL)


def link(public_url: str, key: str) -> str:
    """Return the address of the page with a call's recordings.

    It depends on the call's key alone, because Desk never tells which one it was given. The key is made of
    the phone system's random uid, so nobody guesses another; who may hear is access all the same.
    """
    return f"{public_url.rstrip('/')}{PATH}{key}"


def piece_of(url: str) -> str:
    """Name one recording of a call: the same for the same address, whatever else is told of the call."""
    return ascii_lower(b32encode(sha256(url.encode()).digest()[:10]).decode())
