"""News reach open banners, and nobody waits for a slow one."""

import pytest

from connector.feed import SHOWN_AT_MOST, Feed, Message

pytestmark = pytest.mark.anyio


def about(call: int, text: bytes) -> Message:
    """Make a message about a call."""
    return Message("call", text, call)


async def test_news_reach_every_banner_of_a_user() -> None:
    """All banners of a user hear what is published, other users' do not."""
    feed = Feed()
    mine, also_mine, theirs = feed.subscribe(1, "a"), feed.subscribe(1, "b"), feed.subscribe(2, "c")
    feed.publish([1], about(1, b"x"))
    assert await mine.read(1) == await also_mine.read(1) == [about(1, b"x")]
    assert await theirs.read(0) == []


async def test_newer_news_replace_unread_ones() -> None:
    """A reader that lags keeps one message a call, the latest, in the order in which they last changed."""
    feed = Feed()
    slow = feed.subscribe(1, "a")
    for number in range(1_000):
        feed.publish([1], about(number % 3, str(number).encode()))
    assert [message.data for message in await slow.read(1)] == [b"997", b"998", b"999"]
    assert await slow.read(0) == []


async def test_what_is_withdrawn_leaves_the_banners_that_show_it() -> None:
    """Those still concerned keep it, those who never had it hear nothing, and nobody hears it twice."""
    feed = Feed()
    keeps, loses, never = (feed.subscribe(user, "s") for user in (1, 2, 3))
    for banner in (keeps, loses, never):
        feed.fill(banner, [])
    feed.publish([1, 2], about(7, b"rings"))
    assert await keeps.read(0) == await loses.read(0) == [about(7, b"rings")]
    feed.withdraw(about(7, b"gone"), [1])
    feed.withdraw(about(7, b"gone"), [1])
    assert await loses.read(0) == [about(7, b"gone")]
    assert [await banner.read(0) for banner in (keeps, loses, never)] == [[], [], []]


async def test_what_a_banner_begins_with_can_be_withdrawn() -> None:
    """A snapshot shows calls too; until it is known which, any of them may be on the banner."""
    feed = Feed()
    begun, beginning = feed.subscribe(1, "a"), feed.subscribe(2, "b")
    feed.fill(begun, [7])
    feed.withdraw(about(7, b"gone"), [])
    feed.withdraw(about(8, b"gone"), [])
    assert await begun.read(0) == [about(7, b"gone")]
    assert await beginning.read(0) == [about(7, b"gone"), about(8, b"gone")]


def test_what_stands_where_is_not_remembered_for_ever() -> None:
    """A banner that is open for months costs no more than one of today."""
    feed = Feed()
    feed.fill(feed.subscribe(1, "a"), [])
    for call in range(SHOWN_AT_MOST + 100):
        feed.publish([1], about(call, b"rings"))
    assert len(feed._showing) == SHOWN_AT_MOST


async def test_sessions_that_are_over_end_their_streams() -> None:
    """Revoking a session ends its banners with a last word, and no others."""
    feed = Feed()
    gone, stays = feed.subscribe(1, "gone"), feed.subscribe(1, "stays")
    feed.end_sessions({"gone"}, Message("signed_out", b"{}"))
    assert (gone.is_over, stays.is_over) == (True, False)
    assert [message.event for message in await gone.read(1)] == ["signed_out"]


async def test_closing_ends_all_and_what_comes_later() -> None:
    """A stopping server lets every reader go at once, late ones too."""
    feed = Feed()
    early = feed.subscribe(1, "a")
    feed.close()
    assert early.is_over
    assert feed.subscribe(1, "b").is_over
    assert await early.read(60) == []


def test_banners_are_counted() -> None:
    """Leaving forgets a banner."""
    feed = Feed()
    banner = feed.subscribe(1, "a")
    assert (feed.open_banners, feed.is_watched_by([1, 2]), feed.sessions()) == (1, True, {"a"})
    assert (feed.open_of("a"), feed.open_of("b")) == (1, 0)
    feed.unsubscribe(banner)
    assert (feed.open_banners, feed.is_watched_by([1, 2])) == (0, False)
