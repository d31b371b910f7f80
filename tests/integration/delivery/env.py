"""A linked portal, a phone system, a sandbox and a deliverer, all on one clock that tests move."""

from collections import Counter
from collections.abc import Callable, Sequence

import httpx2
import msgspec
from sqlalchemy import Connection

from connector import delivery
from connector.calls import CallRecord, CallStatus, Direction, call_key
from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.crm import Rules
from connector.crm.rulebook import encode_rules
from connector.crypto import Encryptor
from connector.limits import Limits
from connector.outbox import Deliverer, Desks
from connector.portals import Methods, Portals, SettingsClient
from connector.sandbox.desk.portal import Portal as SandboxPortal
from connector.sandbox.desk.records import Call, Contact, Ticket
from connector.sandbox.faults import FaultKind, Rule
from connector.sandbox.presets import DEMO_CLIENT_ID, DEMO_ORG_ID, client_secret
from connector.sandbox.serve import RunningSandbox
from connector.settings import Secret, Settings
from connector.store import Store, calls, crm, outbox, phones, portals, users
from connector.store.call_groups import encode
from connector.store.outbox import Row, Wanted
from connector.store.phones import PhoneSystem
from connector.store.users import Word
from connector.zoho.scopes import linking, names
from tests.integration.zoho.person import CALLBACK, VERIFIER, center, consent, linking_url

NOON = 1_767_614_400_000
UID = "uid-of-paris"
LINE = "+33987654321"
STRANGER = "+33612345678"
CALLS = "/api/v1/calls"
CONTACTS = "/api/v1/contacts"
TICKETS = "/api/v1/tickets"
REST_SECONDS = 30
"""How long a portal rests between two tries whether Zoho is back."""

SETTLE_SECONDS = 97
"""Send time-out, wait for a slot, and the 60 s that Desk has to apply a request."""


class Tally:
    """Count what deliveries come to."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()

    def count(self, outcome: str) -> None:
        """Count one."""
        self.outcomes[outcome] += 1


class Environment:
    """Everything a delivery meets, and what a test does to it."""

    def __init__(self, store: Store, sandbox: RunningSandbox, http: httpx2.AsyncClient) -> None:
        self.store = store
        self.sandbox = sandbox
        self.state = sandbox.state
        self.clock = sandbox.state.clock.now
        self._http = http
        self.settings = Settings(secret_key=[Secret("a key of tests")])
        self.encryptor = Encryptor(self.settings.secret_key)
        own = SettingsClient(DEMO_CLIENT_ID, "us", lambda place: client_secret(DEMO_CLIENT_ID, place))
        centers = {"us": center(sandbox)}
        self.methods = Methods(store, self.clock, self.encryptor, http, centers, own)
        self.portals = self.another_portals()
        self.contact_lookup = ContactLookup(store, self.portals, self.settings, self.clock)
        self.tally = Tally()
        self.changed: list[int] = []
        self._others: list[Limits] = []
        self.deliverer = self.another()

    def another_portals(self) -> Portals:
        """Make the portals of another process on the same database."""
        return Portals(
            self.store,
            self.clock,
            self.encryptor,
            self.methods,
            self._http,
            data_centers={"us": center(self.sandbox)},
            limits=Limits(self.store, self.clock, self.clock),
        )

    def another(
        self,
        store: Store | None = None,
        desks: Desks | None = None,
        *,
        contact_lookup: ContactLookup | None = None,
        clock: Clock | None = None,
        steady: Clock | None = None,
        may_pick: Callable[[], bool] = lambda: True,
    ) -> Deliverer:
        """Make a deliverer on the same database, as another process would."""
        limits = self.portals.limits
        if store is not None:
            # A process of its own has a share of its own.
            limits = Limits(store, self.clock, self.clock)
            self._others.append(limits)
        store, clock = store or self.store, clock or self.clock
        return Deliverer(
            store,
            desks or self.portals,
            limits,
            delivery.kinds(store, contact_lookup or self.contact_lookup, self.settings, clock),
            self.settings,
            clock,
            on_change=self.changed.extend,
            on_refusal=delivery.log_refusal,
            counter=self.tally,
            may_pick=may_pick,
            steady=steady or self.clock,
        )

    async def close_others(self) -> None:
        """Let other processes give their shares back."""
        while self._others:
            await self._others.pop().close()

    async def link(self, *, tickets: bool = False) -> None:
        """Link the portal, through Zoho's consent page; with the rights that `tickets` and accounts take."""
        dc = center(self.sandbox)
        scopes = names(linking(webhooks=False, tickets=tickets, accounts=tickets))
        callback = await consent(linking_url(await self.methods.oauth(None), dc, scopes))
        actor = await self.store.write(
            lambda c: (
                users.by_email(c, "ada@example.com")
                or users.add(c, "ada@example.com", "Ada Fontaine", "administrator", NOON)
            )
        )
        assert actor is not None
        await self.portals.link(
            dc, code=callback["code"], redirect_uri=CALLBACK, verifier=VERIFIER, actor=actor.email
        )

    async def set_rules(self, rules: Rules, *, enabled: bool = True) -> None:
        """Save the rules of the portal's CRM, which counts two seconds later."""
        before = await self.store.read(lambda c: crm.get(c, 1))
        revision = 1 if before is None else before.revision + 1
        row = crm.CrmRow(
            portal_id=1,
            name="Zoho Desk",
            enabled=enabled,
            rules=encode_rules(rules),
            revision=revision,
            changed_at=self.clock(),
        )
        assert await self.store.write(lambda c: crm.put(c, row))
        self.advance(3)

    async def build(self) -> None:
        """Add a phone system with a line of its own and a queue, and give Ada and Bruno extensions."""
        phone = PhoneSystem(
            id=0, uid=UID, slug="paris", name="Paris", portal_id=1, dialect="neutral", country="FR",
            time_zone="UTC", lines={LINE: None}, queues={"sales": self.department("Sales")},
        )  # fmt: skip
        await self.store.write(lambda c: phones.add(c, phone, NOON))
        await self.store.write(lambda c: self._add_agent(c, "ada@example.com", "Ada Fontaine", "1001"))
        await self.store.write(lambda c: self._add_agent(c, "bruno@example.com", "Bruno Keller", "1002"))

    @staticmethod
    def _add_agent(connection: Connection, email: str, name: str, extension: str) -> None:
        user = users.by_email(connection, email) or users.add(connection, email, name, "agent", NOON)
        assert user is not None
        users.set_extensions(connection, user.id, [Word(0, extension)])

    @property
    def portal(self) -> SandboxPortal:
        """Return what the sandbox keeps."""
        found = self.state.desk.portal(DEMO_ORG_ID)
        assert found is not None
        return found

    def department(self, name: str) -> str:
        """Return a department's id."""
        return next(each.id for each in self.portal.departments.values() if each.name == name)

    def agent(self, first_name: str) -> str:
        """Return a Desk agent's id."""
        return next(each.id for each in self.portal.agents() if each.first_name == first_name)

    @property
    def calls(self) -> list[Call]:
        """Return the call records in Desk."""
        return list(self.portal.calls.everything())

    @property
    def call(self) -> Call:
        """Return the only call record in Desk."""
        (only,) = self.calls
        return only

    def contacts_of(self, phone: str) -> list[Contact]:
        """Return the contacts in Desk with a phone number."""
        return [contact for contact in self.portal.contacts.present() if contact.phone == phone]

    def contacts_named(self, last_name: str) -> list[Contact]:
        """Return the contacts in Desk with a name."""
        return [contact for contact in self.portal.contacts.present() if contact.last_name == last_name]

    def record(self, call_id: str = "c-1", /, **changes: object) -> CallRecord:
        """Make the record of an answered call from a stranger."""
        fields: dict[str, object] = {
            "key": call_key(UID, call_id),
            "direction": Direction.INBOUND,
            "status": CallStatus.COMPLETED,
            "started_at": NOON - 60_000,
            "duration_seconds": 42,
            "waiting_seconds": 5,
            "customer": STRANGER,
            "line": LINE,
            "agents": ("1001",),
        }
        return CallRecord(**fields | changes)  # type: ignore[arg-type]

    async def want(self, *records: CallRecord, due_at: int | None = None) -> None:
        """Want records, as the road does when calls have ended."""
        await self.store.write(lambda c: self._want(c, records, self.clock() if due_at is None else due_at))

    def _want(self, connection: Connection, records: Sequence[CallRecord], due_at: int) -> None:
        keys = {(record.key, 1, record.key) for record in records}
        calls.stub(connection, keys, self.clock())
        ids = {row.key: row.id for row in calls.lock(connection, [record.key for record in records])}
        wanted = [
            Wanted(portal_id=1, kind="call", key=r.key, call_id=ids[r.key], record=encode(r), due_at=due_at)
            for r in records
        ]
        outbox.want(connection, wanted, self.clock())

    async def row(self, record: CallRecord | None = None) -> Row:
        """Return the outbox row of a record."""
        key = (record or self.record()).key
        found = await self.store.read(lambda c: outbox.find(c, 1, "call", key))
        assert found is not None
        return found

    async def ticket_row(self, record: CallRecord | None = None) -> Row | None:
        """Return the outbox row of the ticket that a rule wants for a call."""
        key = (record or self.record()).key
        return await self.store.read(lambda c: outbox.find(c, 1, "ticket", key))

    @property
    def tickets(self) -> list[Ticket]:
        """Return the tickets in Desk that were made by us."""
        return [each for each in self.portal.tickets.present() if "Call key:" in (each.description or "")]

    async def contact_row(self, key: str = STRANGER) -> Row:
        """Return the outbox row of a contact."""
        found = await self.store.read(lambda c: outbox.find(c, 1, "contact", key))
        assert found is not None
        return found

    async def choose(self, record: CallRecord, contact_id: str | None) -> None:
        """Let an agent choose the contact of a call."""
        call_id = (await self.row(record)).call_id
        assert call_id is not None
        await self.store.write(
            lambda c: calls.touch(c, [call_id], self.clock(), chosen_contact_id=contact_id)
        )
        await self.store.write(lambda c: outbox.retouch(c, call_id, self.clock()))

    async def retry(self, row: Row, *, absent: bool = False) -> None:
        """Try a dead letter again, as an administrator does."""
        await self.store.write(lambda c: outbox.retry(c, row.id, self.clock(), absent=absent))

    def edit(self, call: Call, **fields: object) -> Call:
        """Change a call record as an agent would in Desk."""
        changed: Call = msgspec.structs.replace(call, modified_at=self.clock(), **fields)
        return self.portal.calls.put(changed, self.clock())

    async def configure(self, **values: str | bool | int | None) -> None:
        """Set something of the portal."""
        await self.store.write(lambda c: portals.change(c, 1, **values))

    def strike(
        self,
        kind: FaultKind,
        path: str = CALLS,
        method: str | None = "POST",
        times: int | None = 1,
        **more: object,
    ) -> Rule:
        """Let a fault befall the next requests, and answer its rule."""
        rule = Rule(kind=kind, method=method, path_prefix=path, times=times, **more)  # type: ignore[arg-type]
        self.state.faults.add(rule)
        return rule

    def advance(self, seconds: float) -> None:
        """Let time pass, for us and for Zoho."""
        self.state.clock.advance(seconds)

    async def late_writes(self) -> None:
        """Wait until the sandbox has applied the late writes whose time has come."""
        while self.state.late:
            await self._http.get(f"{self.sandbox.origin}/oauth/serverinfo")

    async def drain(self, deliverer: Deliverer | None = None) -> int:
        """Deliver until nothing is due at this moment, and answer how many deliveries that took."""
        working = deliverer or self.deliverer
        total = 0
        while started := await working.once():
            total += started
        return total

    async def settle(self, deliverer: Deliverer | None = None) -> None:
        """Let time pass until everything is done or dead."""
        for _ in range(60):
            await self.drain(deliverer)
            waiting = await self.waiting()
            if not waiting:
                return
            soonest = min(row.due_at for row in waiting)
            self.advance((soonest - self.clock()) // 1000 + 1 if soonest > self.clock() else REST_SECONDS)
        raise AssertionError(f"never settled: {waiting}")

    async def waiting(self) -> list[Row]:
        """Return what is neither done nor dead: what waits for time before what the portal keeps."""
        sending = await self.store.read(lambda c: outbox.list_rows(c, "sending"))
        unknown = await self.store.read(lambda c: outbox.list_rows(c, "unknown"))
        due = await self.store.read(lambda c: outbox.list_rows(c, "due"))
        return [row for row in (*unknown, *due) if row.due_at > self.clock()] or [*unknown, *due, *sending]

    def posts(self, path: str = CALLS, status: int | None = None) -> int:
        """Count the POSTs that came to the sandbox."""
        return self.state.requests.count(method="POST", path=path, status=status)
