"""Hand messages to the open banners of this process; publishing never waits for a reader."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable

import msgspec


class Message(msgspec.Struct, frozen=True):
    """A server-sent event for a banner; a newer one with the same `about` replaces one not yet read."""

    event: str
    data: bytes
    about: Hashable = None


RENEWAL = Message("renewal", b"", "renewal")
"""Stands for a snapshot, which the reader makes when it comes to it."""

SHOWN_AT_MOST = 20_000
"""Things of which is remembered on which banners they stand: more than change while a call goes on."""


class Subscription:
    """One open banner's unread messages: never more than one about each call."""

    def __init__(self, user_id: int, session: str) -> None:
        self.user_id = user_id
        self.session = session
        self.is_over = False
        self._unread: dict[Hashable, Message] = {}
        self._has_unread = asyncio.Event()

    def put(self, message: Message) -> None:
        """Add a message for the reader."""
        self._unread.pop(message.about, None)
        self._unread[message.about] = message
        self._has_unread.set()

    def renew(self) -> None:
        """Have the reader send a fresh snapshot instead of what is unread, unless that is the end."""
        if not self.is_over:
            self._unread.clear()
            self.put(RENEWAL)

    def end(self, last: Message | None = None) -> None:
        """Let the reader go, after one last message."""
        self._unread.pop(RENEWAL.about, None)
        if last is not None:
            self.put(last)
        self.is_over = True
        self._has_unread.set()

    async def read(self, wait_seconds: float) -> list[Message]:
        """Return the unread messages, oldest first; an empty list when none came in time."""
        # A timer that wakes the reader costs a third of a timeout, which cancels and raises.
        timer = asyncio.get_running_loop().call_later(wait_seconds, self._has_unread.set)
        try:
            await self._has_unread.wait()
        finally:
            timer.cancel()
        messages = list(self._unread.values())
        self._unread.clear()
        if not self.is_over:
            self._has_unread.clear()
        return messages


class Hub:
    """Know which banners are open and what stands on them, and hand each the messages for its agent."""

    def __init__(self) -> None:
        self._open: dict[int, set[Subscription]] = defaultdict(set)
        self._by_session: Counter[str] = Counter()
        self._unfilled: set[Subscription] = set()
        self._showing: dict[Hashable, set[Subscription]] = {}
        self._closing = False
        self.open_banners = 0

    def subscribe(self, user_id: int, session: str) -> Subscription:
        """Open a banner's subscription; `session` names the sign-in that it lives from.

        Until `fill` says what it begins with, it may be showing anything.
        """
        subscription = Subscription(user_id, session)
        if self._closing:
            subscription.end()
        self._open[user_id].add(subscription)
        self._by_session[session] += 1
        self._unfilled.add(subscription)
        self.open_banners += 1
        return subscription

    def fill(self, subscription: Subscription, shown: Iterable[Hashable]) -> None:
        """Note what a banner begins with."""
        self._unfilled.discard(subscription)
        for about in shown:
            self._shows(about).add(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a banner that has gone."""
        subscription.end()
        self._unfilled.discard(subscription)
        readers = self._open[subscription.user_id]
        readers.discard(subscription)
        self.open_banners -= 1
        self._by_session[subscription.session] -= 1
        if not self._by_session[subscription.session]:
            del self._by_session[subscription.session]
        if not readers:
            del self._open[subscription.user_id]

    def publish(self, user_ids: Iterable[int], message: Message) -> None:
        """Hand a message to every open banner of these users."""
        for user_id in user_ids:
            for subscription in self._open.get(user_id, ()):
                subscription.put(message)
                self._shows(message.about).add(subscription)

    def renew(self, user_ids: Iterable[int]) -> None:
        """Have every open banner of these users sent a fresh snapshot, which holds whatever is unread."""
        for user_id in user_ids:
            for subscription in self._open.get(user_id, ()):
                subscription.renew()

    @property
    def users(self) -> Collection[int]:
        """Return the users who have a banner open."""
        return self._open.keys()

    def publish_to_all(self, message: Message) -> None:
        """Hand a message to every open banner."""
        for subscription in self._all():
            subscription.put(message)

    def withdraw(self, about: Hashable, last: Callable[[], Message], but: Collection[int]) -> None:
        """Hand the message that `last` makes to every banner that shows something, except some users'."""
        showing = self._showing.get(about, set())
        leaving = [each for each in showing | self._unfilled if each.user_id not in but or each.is_over]
        if leaving:
            showing.difference_update(leaving)
            message = last()
            for subscription in leaving:
                subscription.put(message)

    def is_watched_by(self, user_ids: Iterable[int]) -> bool:
        """Tell whether any of these users has a banner open."""
        return any(user_id in self._open for user_id in user_ids)

    def open_of(self, session: str) -> int:
        """Return how many open banners live from a sign-in."""
        return self._by_session[session]

    def sessions(self) -> set[str]:
        """Return the sign-ins that open banners live from."""
        return set(self._by_session)

    def end_sessions(self, sessions: set[str], last: Message) -> None:
        """End the banners of sign-ins that are no longer valid."""
        for subscription in self._all():
            if subscription.session in sessions:
                subscription.end(last)

    def close(self) -> None:
        """End every banner's stream politely: the server is stopping."""
        self._closing = True
        for subscription in self._all():
            subscription.end()

    def _shows(self, about: Hashable) -> set[Subscription]:
        """Return the banners that show something; what has changed longest ago is forgotten first."""
        showing = self._showing[about] = self._showing.pop(about, set())
        if len(self._showing) > SHOWN_AT_MOST:
            del self._showing[next(iter(self._showing))]
        return showing

    def _all(self) -> list[Subscription]:
        return [subscription for readers in self._open.values() for subscription in readers]
