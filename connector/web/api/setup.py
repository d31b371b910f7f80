"""Tell programs how far the set-up is."""

import msgspec

from connector.maintenance import Progress
from connector.web.api.operation import Call, operation


class SetupStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step: `done` once it was seen to work, `current` the first that was not, `later` the others."""

    id: str
    state: str


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How far the set-up is; `test_call` is how far the record of the last test call is, null without one."""

    steps: list[SetupStep]
    done: int
    test_call: str | None


@operation("GET", "/api/v1/setup", role="administrator")
async def show_setup(call: Call) -> Setup:
    """Tell how far the set-up is, step by step."""
    return setup_of(await call.services.setting_up.fresh_progress())


def setup_of(progress: Progress) -> Setup:
    """Return progress as programs read it."""
    rung = progress.facts.test_call
    return Setup(
        steps=[SetupStep(id=step.id, state=step.state) for step in progress.steps],
        done=progress.done,
        test_call=None if rung is None else "ringing" if rung.is_open else rung.state or "ended",
    )
