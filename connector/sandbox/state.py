"""The state of one sandbox, made fresh for each program."""

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request

from connector.sandbox.clock import Clock
from connector.sandbox.config import Config, DataCenter
from connector.sandbox.faults import Faults
from connector.sandbox.tokens import Tokens
from connector.sandbox.traffic import Requests

if TYPE_CHECKING:
    from connector.sandbox.desk import DeskState


class SandboxState:
    """Holds config, clock, tokens, consents, faults, request counts and, as `desk`, the state of Desk.

    `desk` is set right after by `create_sandbox`. `consents` maps (zuid, client id) to the scopes once
    accepted and the portal chosen then. `late` holds writes that are applied after their connection died.
    """

    desk: "DeskState"

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.tokens = Tokens(config, clock.now)
        self.consents: dict[tuple[str, str], tuple[frozenset[str], str | None]] = {}
        self.faults = Faults(config.seed)
        self.requests = Requests()
        self.late: set[asyncio.Task[None]] = set()

    def revoke_all_grants(self) -> None:
        """Delete every token and every consent."""
        self.tokens.revoke_all()
        self.consents.clear()


def state_of(request: Request) -> SandboxState:
    """Return the state of the program that a request reached."""
    state = request.app.state.world
    if not isinstance(state, SandboxState):
        raise TypeError(state)
    return state


def data_center_of(request: Request) -> DataCenter:
    """Return the data centre a request was sent to, by its Host header."""
    return state_of(request).config.data_center_of_host(request.headers.get("host", ""))
