"""Say of a call that nobody heard to its end what the PBX's files say of it; no I/O."""

from collections.abc import Callable, Collection, Iterator, Sequence

from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.channels import Channel, Names, Party
from connector.bridge.files import Entry, Row
from connector.bridge.local_rows import tied
from connector.bridge.tracker import RecordingUrl
from connector.bridge.values import Data, Kind, Said

_CONNECTED = "CONNECT"


class Hindsight:
    """What the files say, by call."""

    def __init__(
        self,
        names: Names,
        recording_url: RecordingUrl,
        rows: Sequence[Row],
        entries: Sequence[Entry],
        subject: Callable[[str], str] = str,
    ) -> None:
        self._subject = subject
        self._names = names
        self._recording_url = recording_url
        self._entries = entries
        self._rows: dict[str, list[Row]] = {}
        for row in tied(rows):
            self._rows.setdefault(row.uniqueid, []).append(row)

    def knows(self, call: BridgeCall) -> bool:
        """Tell whether the files hold the call."""
        return bool(self._rows_of(call))

    def unheard(self, since: int, known: Collection[str]) -> list[BridgeCall]:
        """Return the calls of which nothing was heard at all: ended since then, of no known id."""
        found = []
        for uniqueid, rows in self._rows.items():
            party, agent = self._names.read(rows[0].channel)
            if uniqueid not in known and party is not Party.LOCAL and rows[-1].ended_at >= since:
                found.append(self._call(rows, party, agent))
        return found

    def ids(self, since: int) -> list[str]:
        """Return the ids of all calls that ended since then."""
        return [uniqueid for uniqueid, rows in self._rows.items() if rows[-1].ended_at >= since]

    def answers(self, call: BridgeCall) -> Iterator[Said]:
        """Say who answered unheard, and when: the files know whole seconds, so what was heard is better."""
        for row in self._talks(call):
            call.answered = True
            name = self._talker(call, row)
            if (name or "") in call.talkers:
                continue
            key = f"files/{name or row.other}/{row.ended_at}/answered"
            yield from call.say(Kind.ANSWERED, key, self._answered_at(row), Data(agent=name))

    def close(self, call: BridgeCall) -> Iterator[Said]:
        """Say who was rung and who answered, and that the call is over; it must be known."""
        rows = self._rows_of(call)
        if call.direction is None:
            call = self._call(rows, *self._names.read(rows[0].channel))
        for row in rows:
            _, agent = self._names.read(row.other)
            if agent is not None and call.direction != OUTBOUND:
                key = f"files/{agent}/{row.started_at}/ringing"
                yield from call.say(Kind.RINGING, key, row.started_at, call.facts(agent))
        yield from self.answers(call)
        talks = self._talks(call)
        ended_at = max(row.ended_at for row in talks or rows)
        cause = "normal" if call.answered else "no_answer"
        yield from call.end(ended_at, cause, key="ended/files")
        yield from self._recordings(call, ended_at)

    def give_up(self, call: BridgeCall) -> Iterator[Said]:
        """Say that a call is over of which the files know nothing: at the last moment it was known."""
        at = call.lost_at or call.started_at
        yield from call.end(max(at, call.started_at), None, key="ended/unknown")
        yield from self._recordings(call, at)

    def _recordings(self, call: BridgeCall, at: int) -> Iterator[Said]:
        for path in call.recordings if call.answered and call.told else ():
            if (url := self._recording_url(path)) is not None:
                yield from call.say(Kind.RECORDED, f"recorded/{path}", at, Data(recording_url=url))

    def _rows_of(self, call: BridgeCall) -> list[Row]:
        return [row for one in {call.id, call.root} for row in self._rows.get(one, ())]

    def _talks(self, call: BridgeCall) -> list[Row]:
        """Return the rows in which a person talked.

        A caller whom only a queue or a machine answered has a row 'ANSWERED' too, but nobody in it.
        """
        talks = [row for row in self._rows_of(call) if row.is_answered and row.other]
        return [row for row in talks if call.direction != OUTBOUND or self._party(row) is not Party.AGENT]

    def _party(self, row: Row) -> Party:
        return self._names.read(row.other)[0]

    def _talker(self, call: BridgeCall, row: Row) -> str | None:
        return self._names.read(row.channel if call.direction == OUTBOUND else row.other)[1]

    def _answered_at(self, row: Row) -> int:
        """Return when a person answered: for a queue's caller the row's own time is the queue's Answer()."""
        answered_at = row.started_at if row.answered_at is None else row.answered_at
        connected = [
            entry.at
            for entry in self._entries
            if entry.call_id == row.uniqueid and entry.event == _CONNECTED
            and answered_at <= entry.at <= row.ended_at
        ]  # fmt: skip
        return min(connected, default=answered_at)

    def _call(self, rows: Sequence[Row], party: Party, agent: str | None) -> BridgeCall:
        row = rows[0]
        outside = any(self._party(one) is Party.OUTSIDE for one in rows if one.other)
        direction = INBOUND if party is Party.OUTSIDE else OUTBOUND if outside else INTERNAL
        call = BridgeCall(
            id=row.uniqueid,
            subject=self._subject(row.uniqueid),
            started_at=row.started_at,
            root=row.uniqueid,
            direction=direction,
            from_number=row.source or "anonymous",
            to_number=row.destination or None,
            queue=next((one.queue for one in self._entries if one.call_id == row.uniqueid), None),
        )
        call.channels[row.uniqueid] = Channel(
            uniqueid=row.uniqueid, name=row.channel, party=party, agent=agent
        )
        return call
