"""Run everything that the demo needs: sandbox, connector, people, a linked portal, a phone system.

The connector is set as its sandbox needs, and otherwise as the environment says.
"""

import fcntl
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from sqlalchemy import Connection

from connector.casing import ascii_upper
from connector.crypto import new_secret
from connector.demo.browser import Browser
from connector.demo.company import (
    COUNTRY,
    DEPARTMENT_OF_LINE,
    DEPARTMENT_OF_QUEUE,
    KEY_FIELD,
    RECORDING_FIELD,
    RECORDINGS,
    SLUG,
    TIME_ZONE,
    Team,
    team_of,
)
from connector.demo.processes import Program, check_free, free_port
from connector.demo.sandbox_admin import SandboxAdmin
from connector.errors import CommandError
from connector.private_files import private_file, private_folder
from connector.sandbox.config import Config
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret, demo_config
from connector.services import Services
from connector.settings import FILE_VARIABLE, OWN_AT_DATA_CENTER, Settings, load
from connector.store import Store, orders, phones
from connector.store import recordings as table
from connector.store.phones import PhoneSystem
from connector.store.portals import Portal
from connector.store.recordings import SourceRow

ACTOR = "demo"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone system needs to post, and which ids Desk has for departments and agents' e-mails.

    `origin` is where browsers reach the connector.
    """

    origin: str
    portal: Portal
    phone: PhoneSystem
    secret: str
    departments: dict[str, str]
    agents: dict[str, str]


async def add_people(services: Services, team: Team) -> None:
    """Add the people who are not there yet."""
    known = {agent.user.email for agent in await services.agents.list_agents()}
    for person in team.everybody:
        if person.email not in known:
            await services.agents.add_agent(
                person.email,
                person.name,
                person.role,
                extensions=[(None, person.extension)],
                queues=[(None, queue) for queue in person.queues],
                actor=ACTOR,
            )


async def link_portal(origin: str, team: Team, org_id: str) -> None:
    """Link the portal as the administrator would: signing in, consenting, and signing out again."""
    browser = Browser(origin, team.linker.zuid)
    try:
        await browser.sign_in()
        await browser.link(org_id)
        await browser.sign_out()
    finally:
        await browser.close()


async def set_up_phone_system(services: Services, org_id: str, recordings: Path) -> Setup:
    """Configure the linked portal and give it a phone system; one of an earlier time gets a new secret.

    The phone system keeps its recordings in a folder.
    """
    linked = next(each for each in await services.portals.list_portals() if each.org_id == org_id)
    portal = await services.portals.configure(
        linked.id, actor=ACTOR, recording_field=RECORDING_FIELD, key_field=KEY_FIELD
    )
    desk = await services.portals.desk(portal.id)
    departments = {str(each.name): str(each.id) for each in await desk.departments()}
    agents = {str(each.email): str(each.id) for each in await desk.agents()}
    secret = await _phone_secret(services, _phone(portal, departments))
    phone = (await services.phone_systems.find(SLUG)).phone
    source = SourceRow(folder=str(recordings), folder_address=RECORDINGS)
    await services.store.write(lambda connection: table.set_source(connection, phone.id, source))
    await _allow_calling(services)
    return Setup(
        origin=services.settings.public_url,
        portal=portal,
        phone=phone,
        secret=secret,
        departments=departments,
        agents=agents,
    )


def _phone(portal: Portal, departments: dict[str, str]) -> PhoneSystem:
    return PhoneSystem(
        id=0,
        uid="",
        slug=SLUG,
        name="Simulated phone",
        portal_id=portal.id,
        dialect="neutral",
        country=COUNTRY,
        time_zone=TIME_ZONE,
        takes_orders=True,
        lines={line: name and departments[name] for line, name in DEPARTMENT_OF_LINE.items()},
        queues={queue: departments[name] for queue, name in DEPARTMENT_OF_QUEUE.items()},
    )


async def _phone_secret(services: Services, phone: PhoneSystem) -> str:
    if any(known.slug == SLUG for known in await services.phone_systems.list_all()):
        return await services.phone_systems.rotate(SLUG, 0, ACTOR)
    return await services.phone_systems.add(phone, ACTOR)


async def _allow_calling(services: Services) -> None:
    """Let the simulated phone carry orders out, and call everybody: none of them is real."""
    phone = (await services.phone_systems.find(SLUG)).phone

    def change(connection: Connection) -> None:
        phones.set_takes_orders(connection, phone.id, takes_orders=True)
        orders.set_destination(connection, phone.id, "*", "agent")

    await services.store.write(change)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen: ports (None: any that is free), the folder (None: a temporary one), Desk's latency.

    `settings` are given to the connector on top of what the environment needs.
    """

    port: int | None = None
    sandbox_port: int | None = None
    data: Path | None = None
    fresh: bool = False
    latency_ms: int = 200
    settings: dict[str, str] = {}


class Environment:
    """Everything a demo needs, for the length of an `async with` block, which ends within seconds.

    `connector` and `sandbox` are processes of their own. `services` works on the same database as the
    connector, as commands do with `settings_file`; `sandbox_admin` reads the sandbox's state.
    `recordings` is where the phone system keeps what it records.
    """

    folder: Path
    recordings: Path
    environment: dict[str, str]
    settings_file: Path
    services: Services
    connector: Program
    sandbox: Program
    sandbox_admin: SandboxAdmin
    setup: Setup

    def __init__(self, options: Options) -> None:
        self._options = options
        self._port = _port(options.port, "--port")
        self._sandbox_port = _port(options.sandbox_port, "--sandbox-port")
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
        self.environment = environment_of(self.folder, self.config, self._port) | self._options.settings
        self.settings_file = settings_file(self.folder, self.environment)
        self.sandbox = await self._start("sandbox", *self._sandbox_options())
        self.services = self._ending.enter_context(_open_services(self.environment))
        self._ending.push_async_callback(self.services.http.aclose)
        await add_people(self.services, self.team)
        self.connector = await self._start("serve")
        sandbox_admin = SandboxAdmin(self.config.data_centers[0].accounts)
        self.sandbox_admin = await self._ending.enter_async_context(sandbox_admin)
        await self.sandbox.ready(f"{self.sandbox_admin.origin}/_sandbox/clock")
        await self.connector.ready(f"{self.origin}/readyz")
        # Where another demo took a port in the meantime, it was the other's programs that answered.
        self._check_ours()
        await link_portal(self.origin, self.team, DEMO_ORG_ID)
        self._check_ours()
        self.setup = await set_up_phone_system(self.services, DEMO_ORG_ID, self.recordings)

    def _check_ours(self) -> None:
        self.sandbox.check_runs()
        self.connector.check_runs()

    def _open_folder(self) -> Path:
        data = self._options.data
        if data is None:
            return Path(self._ending.enter_context(tempfile.TemporaryDirectory(prefix="connector-demo-")))
        folder = data / "connector-demo"
        try:
            data.mkdir(parents=True, exist_ok=True)
            self._ending.enter_context(_alone_in(data))
            if self._options.fresh:
                shutil.rmtree(folder, ignore_errors=True)
            private_folder(folder)
        except OSError as problem:
            raise CommandError(f"{data} cannot be used: {problem.strerror}.") from problem
        return folder

    def _sandbox_options(self) -> list[str]:
        callbacks = (f"{self.origin}/login/callback", f"{self.origin}/oauth/callback")
        redirects = [option for uri in callbacks for option in ("--redirect-uri", uri)]
        latency = ("--latency-ms", str(self._options.latency_ms))
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


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other demos out of a folder; CommandError where one is there. It ends with the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise CommandError(
            f"Another demo runs with --data {folder}: end it, or choose another folder."
        ) from problem


def _port(wanted: int | None, option: str) -> int:
    if wanted is None:
        return free_port()
    check_free(wanted, option)
    return wanted


def environment_of(folder: Path, config: Config, port: int) -> dict[str, str]:
    """Return the environment in which the connector and our own look at its database run."""
    home = config.data_centers[0].location
    centers = (f"{center.location}={center.accounts}|{center.desk}" for center in config.data_centers)
    secrets = {
        OWN_AT_DATA_CENTER + ascii_upper(center.location): client_secret(DEMO_CLIENT_ID, center.location)
        for center in config.data_centers
    }
    foreign = (FILE_VARIABLE, OWN_AT_DATA_CENTER)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return inherited | secrets | {
        "DATABASE_URL": f"sqlite:///{folder.absolute() / 'connector.db'}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LISTEN": f"127.0.0.1:{port}",
        "SECRET_KEY": _secret_key(folder / "secret-key"),
        "ZOHO_CLIENT_ID": DEMO_CLIENT_ID,
        "ZOHO_CLIENT_SECRET": client_secret(DEMO_CLIENT_ID, home),
        "ZOHO_DATA_CENTER": home,
        "ZOHO_DATA_CENTERS": ",".join(centers),
        "DELIVER": "true",
        "DESK_CARDS": "true",
        "DESK_TICKETS": "true",
    }  # fmt: skip


def settings_file(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write what commands on the same database need into a file that nobody else can read.

    Secrets of single data centres are left out, because no file can hold them: only signing in needs them.
    """
    names = (name for name in Settings.__struct_fields__ if name != "zoho_client_secrets")
    given = {name: environment[ascii_upper(name)] for name in names if ascii_upper(name) in environment}
    file = folder / "settings.toml"
    file.unlink(missing_ok=True)
    private_file(file)
    # What JSON writes of a text is a text of TOML as well.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in given.items()]
    file.write_text("".join(lines), encoding="utf-8")
    return file


def command_line(file: Path, *words: str) -> str:
    """Return what to type into a shell for a command with a file's settings and no others."""
    program = Path(sys.argv[0])
    ours = [sys.argv[0]] if program.name == "connector" else [sys.executable, "-m", "connector"]
    settings = (ascii_upper(name) for name in Settings.__struct_fields__)
    # The environment would win over the file.
    unset = [word for name in settings if name in os.environ for word in ("-u", name)]
    file_setting = f"{FILE_VARIABLE}={shlex.quote(str(file.absolute()))}"
    return " ".join([*(["env", *unset] if unset else []), file_setting, shlex.join([*ours, *words])])


def _secret_key(file: Path) -> str:
    is_new = not file.exists()
    private_file(file)
    if is_new:
        file.write_text(new_secret(), encoding="utf-8")
    return file.read_text(encoding="utf-8")
