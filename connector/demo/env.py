"""Set the stage: a folder, the sandbox, the connector, its people, a linked portal and a phone system."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from connector.demo.building import SLUG, Furniture, add_people, build, link
from connector.demo.control import Control
from connector.demo.environment import environment_of, settings_file
from connector.demo.people import team_of
from connector.demo.processes import Program, check_free, free_port
from connector.errors import CommandError
from connector.private_files import private_folder
from connector.sandbox.presets import DEMO_ORG_ID, demo_config
from connector.services import Services
from connector.settings import load
from connector.store import Store


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen: ports (None: any that is free), the folder (None: a passing one), Desk's pace.

    `settings` are given to the connector on top of what the stage needs.
    """

    port: int | None = None
    sandbox_port: int | None = None
    data: Path | None = None
    fresh: bool = False
    latency_ms: int = 200
    settings: dict[str, str] = {}


class Environment:
    """Everything a demo needs, for the length of an `async with` block, which ends within seconds.

    `connector` and `sandbox` are processes of their own. `house` works on the same database as the
    connector, as commands do with `settings_file`; `control` looks into the sandbox. `recordings` is where
    the phone system keeps what it records.
    """

    folder: Path
    recordings: Path
    environment: dict[str, str]
    settings_file: Path
    services: Services
    connector: Program
    sandbox: Program
    control: Control
    furniture: Furniture

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._port = _port(wishes.port, "--port")
        self._sandbox_port = _port(wishes.sandbox_port, "--sandbox-port")
        self.origin = f"http://127.0.0.1:{self._port}"
        self.hook = f"{self.origin}/hooks/{SLUG}"
        self.config = demo_config(self._sandbox_port)
        self.team = team_of(self.config)
        self._ending = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._ending as ending:
            await self._set_up()
            self._ending = ending.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ending.aclose()

    async def _set_up(self) -> None:
        self.folder = self._open_folder()
        self.recordings = self.folder / "recordings"
        self.recordings.mkdir(exist_ok=True)
        self.environment = environment_of(self.folder, self.config, self._port) | self._wishes.settings
        self.settings_file = settings_file(self.folder, self.environment)
        self.sandbox = await self._start("sandbox", *self._sandbox_options())
        self.services = self._ending.enter_context(_open_services(self.environment))
        self._ending.push_async_callback(self.services.http.aclose)
        await add_people(self.services, self.team)
        self.connector = await self._start("serve")
        control = Control(self.config.data_centers[0].accounts)
        self.control = await self._ending.enter_async_context(control)
        await self.sandbox.ready(f"{self.control.origin}/_sandbox/clock")
        await self.connector.ready(f"{self.origin}/readyz")
        # Where another demo took a port in the meantime, it was the other's programs that answered.
        self._check_ours()
        await link(self.origin, self.team, DEMO_ORG_ID)
        self._check_ours()
        self.furniture = await build(self.services, DEMO_ORG_ID, self.recordings)

    def _check_ours(self) -> None:
        self.sandbox.check_runs()
        self.connector.check_runs()

    def _open_folder(self) -> Path:
        data = self._wishes.data
        if data is None:
            return Path(self._ending.enter_context(tempfile.TemporaryDirectory(prefix="connector-demo-")))
        folder = data / "connector-demo"
        try:
            if self._wishes.fresh:
                shutil.rmtree(folder, ignore_errors=True)
            private_folder(folder)
        except OSError as problem:
            raise CommandError(f"{data} cannot be used: {problem.strerror}.") from problem
        return folder

    def _sandbox_options(self) -> list[str]:
        callbacks = (f"{self.origin}/login/callback", f"{self.origin}/oauth/callback")
        redirects = [option for uri in callbacks for option in ("--redirect-uri", uri)]
        latency = ("--latency-ms", str(self._wishes.latency_ms))
        return ["--port", str(self._sandbox_port), *latency, *redirects]

    async def _start(self, command: str, *options: str) -> Program:
        program = Program([command, *options], self.environment, self.folder / f"{command}.log")
        self._ending.push_async_callback(program.stop)
        await program.start()
        return program


@contextmanager
def _open_services(environment: dict[str, str]) -> Iterator[Services]:
    settings = load(environment)
    store = Store.open(settings.database_url)
    try:
        yield Services(settings, store)
    finally:
        store.close()


def _port(wanted: int | None, option: str) -> int:
    if wanted is None:
        return free_port()
    check_free(wanted, option)
    return wanted
