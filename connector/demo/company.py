"""The demo's company: invented agents of the sandbox's portal, and its phone system's lines and queues."""

import msgspec

from connector.sandbox.config import Config

SUPPORT, SALES = "support", "sales"
SLUG, COUNTRY, TIME_ZONE = "demo", "GB", "Europe/London"
MAIN_LINE, BILLING_LINE = "+441632960100", "+441632960200"
DEPARTMENT_OF_QUEUE = {SUPPORT: "Customer Support", SALES: "Sales"}
DEPARTMENT_OF_LINE = {MAIN_LINE: None, BILLING_LINE: "Billing"}
RECORDINGS = "https://recordings.example.com/"
"""Stands for the folder of recordings in events: nothing is ever fetched from there."""

RECORDING_FIELD, KEY_FIELD = "cf_recordingurl", "cf_callkey"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in; `zuid` is how the sandbox's sign-in page knows them.

    Who is not of Billing cannot own its records: the sandbox has every second agent there.
    """

    zuid: str
    email: str
    name: str
    role: str
    extension: str
    queues: tuple[str, ...]
    is_billing: bool = False


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes calls, and the administrator who links the portal and takes none."""

    agents: tuple[Person, ...]
    linker: Person

    @property
    def everybody(self) -> tuple[Person, ...]:
        """Return all who may sign in."""
        return (*self.agents, self.linker)

    def at(self, extension: str) -> Person | None:
        """Return whom an extension rings."""
        return next((person for person in self.everybody if person.extension == extension), None)

    def queue(self, name: str) -> tuple[Person, ...]:
        """Return the agents whom a queue rings."""
        return tuple(person for person in self.agents if name in person.queues)


_ROLES = ("administrator", "agent", "agent", "agent", "supervisor")
_QUEUES = ((SUPPORT,), (SUPPORT,), (SUPPORT, SALES), (SALES,), ())


def team_of(config: Config) -> Team:
    """Take the agents of the home portal; the last one links, so that no other has consented before."""
    *users, last = config.agents_of(config.orgs[0].org_id)
    agents = [
        Person(
            zuid=user.zuid,
            email=user.email,
            name=user.display_name,
            role=role,
            extension=str(1001 + number),
            queues=queues,
            is_billing=number % 2 == 1,
        )
        for number, (user, role, queues) in enumerate(zip(users, _ROLES, _QUEUES, strict=False))
    ]
    linker = Person(
        zuid=last.zuid,
        email=last.email,
        name=last.display_name,
        role="administrator",
        extension="1009",
        queues=(),
    )
    return Team(agents=tuple(agents), linker=linker)
