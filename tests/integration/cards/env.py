"""A whole connector before a sandbox: agents with banners, calls that ring, and what they do with cards."""

import itertools
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx2
from sqlalchemy import Connection, select
from starlette.responses import Response

from connector.app import create_app
from connector.calls import CallEvent, Direction, EventType
from connector.dialects import Parsed
from connector.sandbox.desk.portal import Portal as SandboxPortal
from connector.sandbox.desk.records import Account, Contact, Ticket
from connector.sandbox.faults import FaultKind, Rule
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.sandbox.tokens import Grant
from connector.services import Services
from connector.settings import Secret, Settings
from connector.store import Store, audit, grants, outbox, phones, portals, tables, users
from connector.store.outbox import Kind, Row
from connector.store.users import Word
from connector.web.auth import Cookies
from connector.zoho.actions import ACCOUNTS, ALWAYS, CARDS, NEW_TICKETS
from connector.zoho.scopes import asked_for, names

ADDRESS = "http://127.0.0.1:8080"
LINE = "+33199005678"
STRANGER = "+33199001234"
PEOPLE = (
    ("ada@example.com", "Ada", "1001"),
    ("bruno@example.com", "Bruno", "1002"),
    ("chiara@example.com", "Chiara", "1003"),
    ("dmitri@example.com", "Dmitri", "1004"),
)
SCOPES = names(asked_for((*ALWAYS, CARDS, NEW_TICKETS, ACCOUNTS)))
WIDTH = 300
STATES: tuple[outbox.State, ...] = ("due", "sending", "unknown", "done", "dead", "dropped")


def click() -> str:
    """Return the name of a click."""
    return str(uuid4())


class Process:
    """One process of the connector, on a database that it may share."""

    def __init__(self, store: Store, sandbox: RunningSandbox, **more: Any) -> None:
        self.sandbox = sandbox
        self.services = Services(_settings(sandbox, **more), store, sandbox.state.clock.now)
        # What is left unanswered takes its part of the width until the simulated time has passed.
        self.services.portals.limits._steady = sandbox.state.clock.now
        self.app = create_app(self.services)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, client=("127.0.0.1", 1)), base_url=ADDRESS
        )
        self._cookies: dict[str, str] = {}
        self._events = itertools.count(1)

    async def set_up(self) -> None:
        """Link the portal and add a phone system and its agents."""
        store = self.services.store
        await store.write(lambda c: _link(c, self.services, self.sandbox))
        await store.write(_add_phone_system)
        await store.write(_add_people)

    async def ask(self, method: str, path: str, who: str = "ada", body: object = None) -> httpx2.Response:
        """Ask as an agent's banner does."""
        own = {"x-requested-with": "connector", "origin": ADDRESS, "cookie": await self.cookie(who)}
        return await self.http.request(method, path, headers=own, json=body)

    async def cookie(self, who: str) -> str:
        """Return the cookie of an agent's session; signing in itself is tested elsewhere."""
        if who not in self._cookies:
            user = await self.services.store.read(lambda c: users.by_email(c, f"{who}@example.com"))
            assert user is not None
            response = Response()
            session = await self.services.sessions.open(user)
            Cookies(self.services.encryptor, https=False).set_session(response, session)
            self._cookies[who] = response.headers["set-cookie"].partition(";")[0]
        return self._cookies[who]

    async def ring(
        self, call: str, caller: str | None = STRANGER, extension: str = "1001", **more: Any
    ) -> int:
        """Let a call ring at an agent whose banner is open, and return its id when all is looked up."""
        who = next(email for email, _, word in PEOPLE if word == extension)
        user = await self.services.store.read(lambda c: users.by_email(c, who))
        assert user is not None
        subscription = self.services.hub.subscribe(user.id, f"session of {who}")
        await self.tell(EventType.RINGING, call, caller, agent=extension, **more)
        await self.services.pipeline.settle()
        self.services.hub.unsubscribe(subscription)
        asked = select(tables.calls.c.id).where(tables.calls.c.call_id == call)
        return int(await self.services.store.read(lambda c: c.execute(asked).scalar_one()))

    async def tell(self, kind: EventType, call: str, caller: str | None = STRANGER, **more: Any) -> None:
        """Take an event of a call."""
        now = self.services.clock()
        facts: dict[str, Any] = {"direction": Direction.INBOUND, "from_number": caller, "to_number": LINE}
        event = CallEvent(
            source="/pbx",
            id=f"{call} {kind} {next(self._events)} {id(self)}",
            type=kind,
            call_id=call,
            at=now,
            received_at=now,
            **facts | more,
        )
        phone = await self.services.phone_systems.get(1)
        await self.services.pipeline.take(phone, Parsed(events=(event,)))

    async def end(self, call: str, caller: str | None = STRANGER) -> None:
        """Let a call be answered and end."""
        await self.tell(EventType.ANSWERED, call, caller, agent="1001")
        await self.tell(EventType.ENDED, call, caller)
        await self.services.pipeline.settle()

    async def deliver(self) -> None:
        """Deliver until nothing is due at this moment."""
        while await self.services.deliverer.once():
            pass

    async def deliver_all(self) -> None:
        """Let time pass until everything is delivered or dead."""
        for _ in range(80):
            await self.deliver()
            open_ones = [row for row in await self.rows() if row.state not in ("done", "dead")]
            if not open_ones:
                return
            self.advance(31)
        raise AssertionError(f"never settled: {open_ones}")

    async def rows(self, *kinds: Kind) -> list[Row]:
        """Return the rows of the outbox, of some kinds or of all."""

        def read(connection: Connection) -> list[Row]:
            found = [row for state in STATES for row in outbox.list_rows(connection, state, 10_000)]
            return [row for row in found if not kinds or row.kind in kinds]

        return await self.services.store.read(read)

    async def audited(self) -> Counter[str]:
        """Count the changes in the audit by their actions."""
        found = await self.services.store.read(lambda c: audit.newest(c, 10_000))
        return Counter(each.action for each in found)

    def advance(self, seconds: float) -> None:
        """Let time pass, for us and for Zoho."""
        self.sandbox.state.clock.advance(seconds)

    async def close(self) -> None:
        """End it."""
        await self.http.aclose()
        await self.services.close()


class Desk:
    """What stands in the sandbox's portal, and what an agent there does to it."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox

    @property
    def portal(self) -> SandboxPortal:
        """Return the portal."""
        found = self._sandbox.state.desk.portal(DEMO_ORG_ID)
        assert found is not None
        return found

    def add_contact(self, last_name: str, phone: str | None = STRANGER, **more: Any) -> Contact:
        """Add a contact."""
        return self._sandbox.state.desk.add_contact(last_name=last_name, phone=phone, **more)

    def add_account(self, name: str, **more: Any) -> Account:
        """Add an account."""
        portal, now = self.portal, self._sandbox.state.clock.now()
        made = Account(
            id=self.add_contact("Nobody", None, is_trashed=True).id[:-3] + "777",
            account_name=name,
            created_at=now,
            modified_at=now,
            **more,
        )
        return portal.accounts.put(made, 0)

    def add_ticket(self, contact: Contact, subject: str, status: str = "Open") -> Ticket:
        """Add a ticket."""
        return self._sandbox.state.desk.add_ticket(contact, subject=subject, status=status)

    def comments(self, ticket_id: str) -> list[str]:
        """Return what the comments on a ticket say, the oldest first."""
        return [each.content for each in self.portal.comments.get(ticket_id, [])]

    def edit(self, contact_id: str, **changes: Any) -> None:
        """Change a contact in Desk itself."""
        self._sandbox.state.desk.change_contact(self.contact(contact_id), **changes)

    def contact(self, contact_id: str) -> Contact:
        """Return a contact."""
        found = self.portal.contacts.find(contact_id)
        assert found is not None
        return found

    def strike(
        self, kind: FaultKind, path: str, method: str | None = "POST", times: int | None = 1, **more: Any
    ) -> None:
        """Let a fault befall the next requests."""
        rule = Rule(kind=kind, method=method, path_prefix=path, times=times, **more)
        self._sandbox.state.faults.add(rule)

    def count(self, method: str, path: str) -> int:
        """Count the requests that came."""
        return self._sandbox.state.requests.count(method=method, path=path)

    async def late_writes(self) -> None:
        """Wait until what is applied late has been, whose time has come."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            while self._sandbox.state.late:
                await client.get(f"{self._sandbox.origin}/oauth/serverinfo")


def _settings(sandbox: RunningSandbox, **more: Any) -> Settings:
    return Settings(
        public_url=ADDRESS,
        secret_key=[Secret("a key of tests")],
        zoho_client_id=DEMO_CLIENT_ID,
        zoho_client_secret=Secret(client_secret(DEMO_CLIENT_ID, "us")),
        zoho_data_centers=[f"us={sandbox.origin}|{sandbox.origin}"],
        record_after_seconds=0,
        unknown_for_seconds=0,
        **{"desk_cards": True, "desk_tickets": True} | more,
    )


def _link(connection: Connection, services: Services, sandbox: RunningSandbox) -> None:
    world, now = sandbox.state, services.clock()
    grant = Grant(
        client_id=DEMO_CLIENT_ID,
        zuid=world.config.users[0].zuid,
        location="us",
        scopes=frozenset(scope.lower() for scope in SCOPES),
        scope_text=" ".join(SCOPES),
        org_id=DEMO_ORG_ID,
    )
    refresh = world.tokens.add_refresh_token(grant)
    access = world.tokens.add_access_token(grant, refresh)
    desk = world.desk.portal(DEMO_ORG_ID)
    assert desk is not None
    department = next(iter(desk.departments.values()))
    portal = portals.put(
        connection,
        location="us",
        org_id=DEMO_ORG_ID,
        name="Zylker",
        client_id=DEMO_CLIENT_ID,
        state="linked",
        scopes=" ".join(SCOPES),
        linked_by="test",
        linked_at=now,
        default_department_id=department.id,
        # Room for what is left without an answer, which simulated time takes long to end.
        concurrency=WIDTH,
    )
    kept = (services.encryptor.encrypt(refresh.token), services.encryptor.encrypt(access.token))
    grants.put(connection, portal.id, *kept, now + 3_000_000, now)


def _add_phone_system(connection: Connection) -> None:
    phone = phones.PhoneSystem(
        id=0, uid="uid-of-paris", slug="paris", name="Paris", portal_id=1, dialect="neutral", country="FR",
        time_zone="UTC", lines={LINE: None},
    )  # fmt: skip
    phones.add(connection, phone, 1)


def _add_people(connection: Connection) -> None:
    for email, name, extension in PEOPLE:
        user = users.add(connection, email, name, "agent", 1)
        assert user is not None
        users.set_extensions(connection, user.id, [Word(0, extension)])


__all__ = ["Account", "Desk", "Process", "Ticket"]
