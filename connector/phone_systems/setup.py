"""Set phone systems up: add and change them by what people write, and say once how each is reached."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from connector.casing import ascii_upper
from connector.dialects import DIALECTS, UNSHOWN, Dialect, full_address
from connector.dialects import guide as guide_of
from connector.errors import InvalidValue
from connector.phone_systems import warnings
from connector.phone_systems.checks import check_name, whole_number
from connector.phone_systems.departments import Departments
from connector.phone_systems.systems import PhoneSystems
from connector.phone_systems.warnings import Warnings
from connector.store import Store, portals
from connector.store import phones as table
from connector.store.phones import PhoneSystem

_SCRIPT = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_BLANK = "whsec_..."


class NewPhoneSystem(msgspec.Struct, frozen=True, kw_only=True):
    """What people say of a phone system that is to be added.

    `portal_id` may be left out where there is one. `department`, and those of lines and queues, are names or
    ids, "" for none. `secret` is the vendor's. `agreed` says that a portal in a sandbox is meant.
    """

    slug: str
    name: str = ""
    country: str
    time_zone: str = "UTC"
    dialect: str = "neutral"
    portal_id: int | None = None
    department: str = ""
    lines: Mapping[str, str] = {}
    queues: Mapping[str, str] = {}
    prefixes: tuple[str, ...] = ()
    secret: str = ""
    agreed: bool = False


class Introduction(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a phone system once: `secret` is "" where the vendor made it, or where it stays."""

    slug: str
    dialect: Dialect
    bare_address: str
    secret: str = ""
    warnings: Warnings = ()

    @property
    def address(self) -> str:
        """Return where the phone system posts, with the secret where one stands there."""
        return full_address(self.dialect, self.bare_address, self.secret or UNSHOWN)

    @property
    def script(self) -> str:
        """Return what posts a first call from a shell, "" where nobody but the vendor can sign."""
        return first_call(self.bare_address, self.secret, self.dialect)


class PhoneSetup:
    """Add and change phone systems, and give them new secrets; `public_url` is where they post."""

    def __init__(
        self, store: Store, phone_systems: PhoneSystems, departments: Departments, public_url: str
    ) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._departments = departments
        self._public_url = public_url.rstrip("/")

    def address_of(self, slug: str) -> str:
        """Return where a phone system posts, without what may stand behind it."""
        return f"{self._public_url}/hooks/{slug}"

    async def introduction(self, slug: str) -> Introduction:
        """Return how a phone system is reached, without its secret."""
        phone = (await self._phone_systems.find(slug)).phone
        return self._introduction(phone)

    def _introduction(self, phone: PhoneSystem, secret: str = "", told: Warnings = ()) -> Introduction:
        return Introduction(
            slug=phone.slug,
            dialect=DIALECTS[phone.dialect],
            bare_address=self.address_of(phone.slug),
            secret=secret,
            warnings=told,
        )

    async def add(self, new: NewPhoneSystem, actor: str) -> Introduction:
        """Add a phone system; InvalidValue names what is wrong with it."""
        portal_id = await self._portal_id(new.portal_id)
        department, told = await self._departments.id_of(portal_id, new.department)
        lines, of_lines = await self._departments_of(portal_id, new.lines, "/lines")
        queues, of_queues = await self._departments_of(portal_id, new.queues, "/queues")
        phone = PhoneSystem(
            id=0,
            uid="",
            slug=new.slug,
            name=new.name or new.slug,
            portal_id=portal_id,
            dialect=new.dialect,
            country=ascii_upper(new.country),
            time_zone=new.time_zone,
            department_id=department,
            prefixes=new.prefixes,
            lines={whole_number(line, new.country, "/lines"): its for line, its in lines.items()},
            queues=queues,
        )
        known = await self._store.read(table.queue_words)
        secret = await self._phone_systems.add(phone, actor, new.secret, agreed=new.agreed)
        told += of_lines + of_queues + warnings.of_queues(queues, known)
        return self._introduction(phone, secret, told)

    async def change(
        self, slug: str, wanted: Mapping[str, Any], actor: str, secret: str = "", *, agreed: bool = False
    ) -> Introduction:
        """Change what is given of slug, name, portal_id, dialect, country, time_zone and department.

        A department is a name or an id, "" for none. Raises as `PhoneSystems.change`.
        """
        phone, values = (await self._phone_systems.find(slug)).phone, dict(wanted)
        told: Warnings = ()
        if "country" in values:
            values["country"] = ascii_upper(values["country"])
        if "department" in values:
            portal_id = values.get("portal_id", phone.portal_id)
            values["department_id"], told = await self._departments.id_of(portal_id, values.pop("department"))
        made = await self._phone_systems.change(slug, values, actor, secret, agreed=agreed)
        now = (await self._phone_systems.find(values.get("slug", slug))).phone
        return self._introduction(now, made, told)

    async def rotate(self, slug: str, overlap_hours: int, actor: str, secret: str = "") -> Introduction:
        """Give a new secret, the vendor's where its dialect has one; the former stays valid for a while."""
        made = await self._phone_systems.rotate(slug, overlap_hours, actor, secret)
        return self._introduction((await self._phone_systems.find(slug)).phone, made)

    async def _portal_id(self, given: int | None) -> int:
        """Return the portal that was named, or the only one there is."""
        if given is not None:
            return given
        linked = await self._store.read(portals.list_all)
        if not linked:
            raise InvalidValue(
                "No portal is linked: an administrator signs in and opens {address}.",
                "/portal_id",
                address=f"{self._public_url}/connect",
            )
        if len(linked) > 1:
            known = ", ".join(f"{portal.id} is {portal.name}" for portal in linked)
            raise InvalidValue("Say which portal: {known}.", "/portal_id", known=known)
        return linked[0].id

    async def _departments_of(
        self, portal_id: int, pairs: Mapping[str, str], pointer: str
    ) -> tuple[dict[str, str | None], Warnings]:
        found: dict[str, str | None] = {}
        told: Warnings = ()
        for word, department in pairs.items():
            check_name(word, pointer)
            found[word], more = await self._departments.id_of(portal_id, department, pointer)
            told += more
        return found, told


def first_call(bare_address: str, secret: str, dialect: Dialect = DIALECTS["neutral"]) -> str:
    """Return a POSIX shell script that signs and posts a call: the guide's own, filled in.

    It is empty where nobody but the vendor can sign.
    """
    found = _SCRIPT.search(guide_of(dialect, bare_address))
    if found is None:
        return ""
    shown = found[1].replace(_BLANK, secret or _BLANK)
    return shown.replace(
        full_address(dialect, bare_address, UNSHOWN), full_address(dialect, bare_address, secret or UNSHOWN)
    )
