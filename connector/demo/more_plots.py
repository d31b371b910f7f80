"""Stories in which more is going on: queues, transfers, calls out, and calls among agents."""

import msgspec

from connector.clock import SECOND
from connector.demo.building import DEPARTMENT_OF_QUEUE, MAIN_LINE
from connector.demo.people import SUPPORT, Person
from connector.demo.stories import Due, Script, Story
from connector.demo.writing import Course, Writer

APART_MS = 300
"""A queue rings its agents one shortly after the other."""


def queue(writer: Writer) -> Story:
    """Let a queue ring several agents, one of whom answers."""
    script, members = writer.script(), writer.team.queue(SUPPORT)
    course = writer.course(script.call, writer.known(), agent=writer.chance.choice(members))
    _ring_all(script, course, members)
    script.say(course.call, "answered", course.answered_ms, agent=course.agent.extension)
    for other in members:
        if other != course.agent:
            script.say(course.call, "left", course.answered_ms, agent=other.extension, cause="no_answer")
    script.say(course.call, "ended", course.ends_ms, cause="normal")
    return _of_queue(script, course.due)


def queue_missed(writer: Writer) -> Story:
    """Let a queue ring several agents until the caller gives up; the record is of whom it rang last."""
    script, members = writer.script(), writer.team.queue(SUPPORT)
    course = writer.course(script.call, writer.known(), agent=members[-1])
    _ring_all(script, course, members)
    script.say(course.call, "ended", course.answered_ms, cause="cancelled")
    return _of_queue(script, course.missed)


def _ring_all(script: Script, course: Course, members: tuple[Person, ...]) -> None:
    for place, member in enumerate(members):
        said = course.said | {"agent": member.extension, "queue": SUPPORT}
        script.say(course.call, "ringing", course.rings_ms + place * APART_MS, **said)


def _of_queue(script: Script, due: Due) -> Story:
    due = msgspec.structs.replace(due, department=DEPARTMENT_OF_QUEUE[SUPPORT])
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def outbound(writer: Writer) -> Story:
    """Let an agent call a contact, who answers."""
    script, course = _dial(writer)
    script.say(course.call, "answered", course.answered_ms, agent=course.word)
    script.say(course.call, "ended", course.ends_ms, cause="normal")
    due = msgspec.structs.replace(course.due, direction="outbound")
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def outbound_unanswered(writer: Writer) -> Story:
    """Let an agent call a contact, who does not answer."""
    script, course = _dial(writer)
    script.say(course.call, "ended", course.answered_ms, cause="no_answer")
    due = msgspec.structs.replace(course.missed, direction="outbound", status="Canceled")
    return Story(posts=script.posts, dues=(due,), pops=(due.call,))


def _dial(writer: Writer) -> tuple[Script, Course]:
    script = writer.script()
    course = writer.course(script.call, writer.known())
    said = {"direction": "outbound", "from_": course.line, "to": course.caller, "agent": course.word}
    script.say(course.call, "ringing", course.rings_ms, **said)
    return script, course


def transfer(writer: Writer) -> Story:
    """Hand a call on to another agent: one record tells of both, and is the second one's."""
    script, who = writer.script(), writer.known()
    first, second = writer.chance.sample(writer.team.agents, 2)
    head = msgspec.structs.replace(writer.course(script.call, who, agent=first), line=MAIN_LINE)
    rings_ms = head.ends_ms - SECOND
    child = writer.course(f"{script.call}-handed-on", who, begins_ms=rings_ms, agent=second)
    script.say(head.call, "ringing", head.rings_ms, **head.said)
    script.say(head.call, "answered", head.answered_ms, agent=head.word)
    script.say(child.call, "ringing", child.rings_ms, parent=head.call, **child.said)
    script.say(head.call, "ended", head.ends_ms, cause="normal")
    script.say(child.call, "answered", child.answered_ms, agent=child.word)
    script.say(child.call, "ended", child.ends_ms, cause="normal")
    talked_ms = head.ends_ms - head.answered_ms + child.ends_ms - child.answered_ms
    due = msgspec.structs.replace(
        head.due,
        owner=second.email,
        duration_seconds=talked_ms // SECOND,
    )
    return Story(
        posts=script.posts,
        dues=(due,),
        pops=(head.call, child.call),
    )


def internal(writer: Writer) -> Story:
    """Let an agent call another, which is nobody's business in Desk."""
    script = writer.script()
    caller, called = writer.chance.sample(writer.team.agents, 2)
    said = {"direction": "internal", "from_": caller.extension, "to": called.extension}
    script.say(script.call, "ringing", 0, agent=called.extension, **said)
    script.say(script.call, "answered", 3 * SECOND, agent=called.extension)
    script.say(script.call, "ended", 40 * SECOND, cause="normal")
    return Story(posts=script.posts, dues=(), pops=(script.call,))
