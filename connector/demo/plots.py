"""Stories of one caller and one agent: the ordinary ones, and what odd phone systems make of them."""

import msgspec

from connector.clock import SECOND
from connector.demo.building import RECORDINGS
from connector.demo.stories import Story, Withheld
from connector.demo.writing import Writer, tell

NOBODYS_EXTENSION = "1099"


def answered(writer: Writer) -> Story:
    """Let a contact call, and an agent answer."""
    script = writer.script()
    due = tell(script, writer.course(script.call, writer.known()))
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def missed(writer: Writer) -> Story:
    """Let a contact call, and give up."""
    script = writer.script()
    course = writer.course(script.call, writer.known())
    script.say(course.call, "ringing", course.rings_ms, **course.said)
    script.say(course.call, "ended", course.answered_ms, cause="cancelled")
    return Story(posts=script.posts, dues=(course.missed,), pops=(course.call,))


def stranger(writer: Writer) -> Story:
    """Let somebody call whom Desk does not know."""
    script = writer.script()
    due = tell(script, writer.course(script.call, writer.stranger()))
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def stranger_twice(writer: Writer) -> Story:
    """Let a stranger call two agents at once: one contact must do for both."""
    script, who = writer.script(), writer.stranger()
    calls = [f"{script.call}-{end}" for end in "ab"]
    dues = tuple(
        tell(script, writer.course(call, who, begins_ms=number * SECOND)) for number, call in enumerate(calls)
    )
    posts = sorted(script.posts, key=lambda post: post.after_ms)
    return Story(posts=tuple(posts), dues=dues, pops=tuple(calls))


def withheld(writer: Writer) -> Story:
    """Let somebody call who shows no number."""
    script = writer.script()
    due = tell(script, writer.course(script.call, (writer.callers.withheld(), Withheld())))
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def repeated(writer: Writer) -> Story:
    """Say everything twice, and at the end all of it once more."""
    story = answered(writer)
    twice = [post for post in story.posts for _ in range(2)]
    last = story.posts[-1]
    events = tuple(event for post in story.posts for event in post.events)
    again = msgspec.structs.replace(last, events=events)
    return msgspec.structs.replace(story, posts=(*twice, again))


def disordered(writer: Writer) -> Story:
    """Let the events arrive in any order."""
    story = answered(writer)
    when = [post.after_ms for post in story.posts]
    shuffled = writer.chance.sample(story.posts, len(story.posts))
    posts = (msgspec.structs.replace(post, after_ms=at) for post, at in zip(shuffled, when, strict=True))
    return msgspec.structs.replace(story, posts=tuple(posts))


def at_once(writer: Writer) -> Story:
    """Tell the whole call in one batch, after its end."""
    story = answered(writer)
    events = tuple(event for post in story.posts for event in post.events)
    batch = msgspec.structs.replace(story.posts[-1], events=events)
    return msgspec.structs.replace(story, posts=(batch,))


def recorded(writer: Writer) -> Story:
    """Tell of a recording at the end of the call."""
    return _recorded(writer, late=False)


def recorded_late(writer: Writer) -> Story:
    """Tell of a recording once the record is in Desk."""
    return _recorded(writer, late=True)


def _recorded(writer: Writer, *, late: bool) -> Story:
    script = writer.script()
    course = writer.course(script.call, writer.known())
    due, at_ms = tell(script, course), course.ends_ms + SECOND
    url = f"{RECORDINGS}{due.call}.wav"
    facts = {"recording_url": url, "recording_seconds": due.duration_seconds}
    script.post(script.event(due.call, "recorded", at_ms, **facts), after_ms=at_ms, late=late)
    with_url = msgspec.structs.replace(due, recording_url=url)
    return Story(posts=script.posts, dues=(with_url,), pops=(due.call,))


def voicemail(writer: Writer) -> Story:
    """Let the caller leave a message, because nobody answers."""
    script = writer.script()
    course = writer.course(script.call, writer.known())
    url = f"{RECORDINGS}{course.call}.wav"
    script.say(course.call, "ringing", course.rings_ms, **course.said)
    script.say(course.call, "ended", course.ends_ms, cause="voicemail")
    script.say(course.call, "recorded", course.ends_ms + 1, recording_url=url)
    due = msgspec.structs.replace(course.missed, recording_url=url)
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def nobodys_phone(writer: Writer) -> Story:
    """Let a phone be answered that belongs to none of our agents."""
    script = writer.script()
    course = msgspec.structs.replace(writer.course(script.call, writer.known()), word=NOBODYS_EXTENSION)
    due = msgspec.structs.replace(tell(script, course), owner=None)
    return Story(posts=script.posts, dues=(due,))
