"""Choose which stories are told: each kind once, then by chance, until enough records are due."""

from collections.abc import Callable, Iterator

from connector.demo import more_plots, plots
from connector.demo.chance import Random
from connector.demo.stories import Story
from connector.demo.writing import Writer

Plot = Callable[[Writer], Story]

INTERNAL_EVERY = 8
"""One internal call among so many stories; it comes on top, for no record is due of it."""

SHARES: dict[Plot, int] = {
    plots.answered: 24,
    plots.stranger_twice: 3,
    plots.withheld: 6,
    plots.repeated: 5,
    plots.disordered: 5,
    plots.missed: 10,
    more_plots.queue: 10,
    plots.recorded_late: 4,
    more_plots.transfer: 4,
    more_plots.outbound: 8,
    plots.stranger: 6,
    more_plots.outbound_unanswered: 4,
    more_plots.queue_missed: 3,
    plots.recorded: 8,
    plots.at_once: 2,
    plots.nobodys_phone: 2,
    plots.voicemail: 3,
}
"""How often each kind of story is told among a hundred or so; the first of each come in this order."""

QUIET: dict[Plot, int] = {
    plots.answered: 10,
    plots.recorded: 5,
    plots.missed: 3,
    plots.stranger: 3,
    plots.withheld: 2,
    more_plots.outbound: 3,
}
"""What is told to a person who looks on; nothing odd that would look like a mistake."""


def plan(writer: Writer, calls: int) -> list[Story]:
    """Write stories until `calls` records are due, exactly."""
    stories: list[Story] = []
    due, kinds = 0, _kinds(writer.chance)
    while due < calls:
        if len(stories) % INTERNAL_EVERY == INTERNAL_EVERY - 1:
            stories.append(more_plots.internal(writer))
        story = next(kinds)(writer)
        if due + len(story.dues) <= calls:
            stories.append(story)
            due += len(story.dues)
    return stories


def _kinds(chance: Random) -> Iterator[Plot]:
    yield from SHARES
    while True:
        yield pick(SHARES, chance)


def pick(shares: dict[Plot, int], chance: Random) -> Plot:
    """Choose a kind of story by its share."""
    return chance.choices(list(shares), list(shares.values()))[0]
