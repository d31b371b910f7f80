"""Bring in many people at once: first say what would happen, line by line, then do that and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Literal, cast

import msgspec
from sqlalchemy import Connection

from connector.accounts.agents import check, check_email, described
from connector.accounts.people_files import Line, read_lines
from connector.accounts.words import PhoneWord, placed, refuse_taken, shown
from connector.casing import ascii_lower
from connector.clock import Clock
from connector.errors import InvalidValue, NotNow
from connector.store import Store, audit, people, users
from connector.store.people import Person
from connector.store.users import Role, User, Word

WORDS_CHANGED_AT_MOST = 10_000
"""So many are written within some seconds, in one transaction; twice 5,000 people with one each."""

Step = Literal["add", "change", "same", "left_out", "wrong"]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a line: `after` is the person then, `before` now, `problem` why nothing can."""

    line: int
    email: str
    step: Step
    after: Person | None = None
    before: Person | None = None
    problem: InvalidValue | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """All lines; `digest` stands for exactly this, `slugs` are those of the phone systems."""

    lines: tuple[Planned, ...]
    digest: str
    slugs: Mapping[int, str]

    def count(self, step: Step) -> int:
        """Return with how many lines this would be done."""
        return sum(each.step == step for each in self.lines)

    def differences(self, line: Planned) -> list[tuple[str, str, str]]:
        """Return (what, from, to) of a line that changes somebody."""
        if line.before is None or line.after is None:
            return []
        before, after = self.cells(line.before), self.cells(line.after)
        return [(name, before[name], after[name]) for name in before if before[name] != after[name]]

    def cells(self, person: Person) -> dict[str, str]:
        """Return what a line can say of somebody, as people read it."""
        return {
            "name": person.user.name,
            "role": person.user.role,
            "extensions": ", ".join(shown(person.extensions, self.slugs)),
            "queues": ", ".join(shown(person.queues, self.slugs)),
        }


class PeopleImport:
    """Import people; a file with one wrong line changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def preview(self, text: str) -> Preview:
        """Return what an import of this CSV would do; InvalidValue for what is no such file."""
        lines = read_lines(text)
        return await self._store.read(partial(_planned, lines))

    async def carry_out(self, text: str, *, digest: str = "", actor: str) -> Preview:
        """Import a CSV; NotNow where that is not what the preview with this digest said.

        InvalidValue names the first line that is wrong.
        """
        return await self.take(read_lines(text), digest=digest, actor=actor)

    async def take(self, lines: Sequence[Line], *, digest: str = "", actor: str) -> Preview:
        """Import what lines say, as `carry_out` does."""
        return await self._store.write(partial(self._take, lines, digest, actor))

    def _take(self, lines: Sequence[Line], digest: str, actor: str, connection: Connection) -> Preview:
        people.other_administrators(connection, 0)
        found, now = _planned(lines, connection), self._clock()
        if digest and digest != found.digest:
            raise NotNow("People have been changed since the preview: look it over once more.")
        for line in found.lines:
            if line.problem is not None:
                raise InvalidValue(
                    "{who}: {problem}",
                    "/csv",
                    who=f"Line {line.line}" if line.line else line.email,
                    problem=str(line.problem),
                )
        added = [line.after for line in found.lines if line.step == "add" and line.after]
        changed = [line for line in found.lines if line.step == "change"]
        _shrink(connection, changed, now)
        people.add_all(connection, added, now)
        for line in changed:
            _change(connection, line, now)
        told = [("agent.added", each) for each in added]
        told += [("agent.changed", each.after) for each in changed if each.after]
        entries = [(action, person.user.email, described(person)) for action, person in told]
        audit.append_all(connection, now, actor, entries)
        return found


def _shrink(connection: Connection, changed: Sequence[Planned], now: int) -> None:
    """Take from everybody what they lose, so that others can be given it whatever the order of the lines."""
    for line in changed:
        if line.before and line.after and set(line.before.extensions) - set(line.after.extensions):
            kept = [word for word in line.before.extensions if word in line.after.extensions]
            users.set_extensions(connection, line.before.user.id, kept, now)


def _change(connection: Connection, line: Planned, now: int) -> None:
    if line.before is None or line.after is None:
        return
    user = line.after.user
    # Only what differs: thousands of lines are one transaction, behind which events wait.
    if user != line.before.user:
        users.change(connection, user.id, name=user.name, role=user.role)
    if line.after.extensions != line.before.extensions:
        users.set_extensions(connection, user.id, line.after.extensions, now)
    if line.after.queues != line.before.queues:
        users.set_queues(connection, user.id, line.after.queues)


def _planned(lines: Sequence[Line], connection: Connection) -> Preview:
    slugs = people.slugs(connection)
    planning = _Planning(people.everybody(connection), slugs, lines)
    planned = planning.last_administrator_kept([planning.plan(line) for line in lines])
    _check_size(planned)
    told = msgspec.json.encode(
        [(each.line, each.email, each.step, each.before, each.after) for each in planned]
    )
    return Preview(lines=tuple(planned), digest=sha256(told).hexdigest(), slugs=slugs)


def _check_size(planned: Sequence[Planned]) -> None:
    """Refuse what would keep events waiting for long: each word of somebody's is changed by itself."""
    whole = [
        (each.before.extensions, each.after.extensions) for each in planned if each.before and each.after
    ]
    count = sum(len(set(before) ^ set(after)) for before, after in whole)
    if count > WORDS_CHANGED_AT_MOST:
        raise InvalidValue(
            "These are {count} changes of extensions of people who are here: import {most} at a time.",
            "/csv",
            count=count,
            most=WORDS_CHANGED_AT_MOST,
        )


class _Planning:
    """Say what becomes of lines, one after another; pure."""

    def __init__(self, everybody: Sequence[Person], slugs: Mapping[int, str], lines: Sequence[Line]) -> None:
        self._present = {each.user.email: each for each in everybody}
        self._by_email: dict[str, User] = {each.user.email: each.user for each in everybody}
        self._ids = {slug: phone_id for phone_id, slug in slugs.items()}
        self._line_of: dict[str, int] = {}
        losing = {ascii_lower(line.email) for line in lines if line.extensions is not None}
        self._owners: dict[Word, User] = {
            word: each.user for each in everybody if each.user.email not in losing for word in each.extensions
        }
        """Who has which word already, but for those who are given others here."""
        self._same_text: dict[str, list[Word]] = {}
        self._note_words(self._owners)

    def plan(self, line: Line) -> Planned:
        """Return what becomes of a line."""
        email = ascii_lower(line.email)
        if line.is_left_out:
            return Planned(line=line.number, email=email, step="left_out")
        before = self._present.get(email)
        try:
            after = self._after(line, email, before)
        except InvalidValue as problem:
            return Planned(line=line.number, email=email, step="wrong", before=before, problem=problem)
        self._line_of[email] = line.number
        self._by_email[email] = after.user
        self._owners |= dict.fromkeys(after.extensions, after.user)
        self._note_words(after.extensions)
        step: Step = "add" if before is None else "same" if before == after else "change"
        return Planned(line=line.number, email=email, step=step, before=before, after=after)

    def _after(self, line: Line, email: str, before: Person | None) -> Person:
        check_email(line.email)
        if email in self._line_of:
            raise InvalidValue(
                "{email} stands in line {line} already: leave one of them out.",
                "/email",
                email=email,
                line=self._line_of[email],
            )
        name = line.name or (before.user.name if before else "")
        role = line.role or (before.user.role if before else "agent")
        check(name, role)
        user = before.user if before else User(id=0, email=email, name="", role="agent", active=True)
        extensions = self._words(line.extensions, before.extensions if before else (), "/extensions")
        queues = self._words(line.queues, before.queues if before else (), "/queues")
        refuse_taken(email, extensions, self._owners, self._by_email)
        self._refuse_called(email, before)
        user = msgspec.structs.replace(user, name=name, role=cast("Role", role))
        return Person(user=user, extensions=extensions, queues=queues)

    def _words(
        self, given: Sequence[PhoneWord] | None, before: tuple[Word, ...], pointer: str
    ) -> tuple[Word, ...]:
        """Return somebody's words afterwards; those there were, where these are the same in another order."""
        if given is None:
            return before
        wanted = placed(given, self._ids, pointer)
        if set(wanted) == set(before):
            return before
        return tuple(sorted(wanted, key=lambda word: (word.phone_system_id, word.text)))

    def _refuse_called(self, email: str, before: Person | None) -> None:
        """Refuse a new address that is what phone systems call another already."""
        if before is None:
            refuse_taken(email, self._same_text.get(email, ()), self._owners, {})

    def _note_words(self, words: Iterable[Word]) -> None:
        """Find words by their text: among all of them, each of thousands of lines would look through all."""
        for word in words:
            self._same_text.setdefault(word.text, []).append(word)

    def last_administrator_kept(self, planned: Sequence[Planned]) -> list[Planned]:
        """Refuse the lines that would leave nobody an administrator."""
        after = {each.email: each.after for each in planned if each.after}
        everybody = [after.get(email) or person for email, person in self._present.items()]
        everybody += [person for email, person in after.items() if email not in self._present]
        if not self._present or any(map(_is_administrator, everybody)):
            return list(planned)
        return [
            _refused(each) if each.before and _is_administrator(each.before) else each for each in planned
        ]


def _is_administrator(person: Person) -> bool:
    return person.user.active and person.user.role == "administrator"


def _refused(line: Planned) -> Planned:
    problem = InvalidValue(
        "{email} is the last administrator: make somebody else one first.", "/role", email=line.email
    )
    return msgspec.structs.replace(line, step="wrong", after=None, problem=problem)
