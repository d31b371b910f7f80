"""Furnish a connector for the demo: people, a portal linked the real way, and a phone system."""

from pathlib import Path

import msgspec
from sqlalchemy import Connection

from connector.demo.browser import Browser
from connector.demo.people import SALES, SUPPORT, Team
from connector.services import Services
from connector.store import orders, phones
from connector.store import recordings as table
from connector.store.phones import PhoneSystem
from connector.store.portals import Portal
from connector.store.recordings import SourceRow

ACTOR = "demo"
SLUG, COUNTRY, TIME_ZONE = "demo", "GB", "Europe/London"
MAIN_LINE, BILLING_LINE = "+441632960100", "+441632960200"
DEPARTMENT_OF_QUEUE = {SUPPORT: "Customer Support", SALES: "Sales"}
DEPARTMENT_OF_LINE = {MAIN_LINE: None, BILLING_LINE: "Billing"}
RECORDINGS = "https://recordings.example.com/"
"""What stands for the folder of recordings in events: nothing is ever fetched from there."""

RECORDING_FIELD, KEY_FIELD = "cf_recordingurl", "cf_callkey"


class Furniture(msgspec.Struct, frozen=True, kw_only=True):
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
    """Add everybody who is not there yet."""
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


async def link(origin: str, team: Team, org_id: str) -> None:
    """Link the portal as the administrator would: signing in, consenting, and signing out again."""
    browser = Browser(origin, team.linker.zuid)
    try:
        await browser.sign_in()
        await browser.link(org_id)
        await browser.sign_out()
    finally:
        await browser.close()


async def build(services: Services, org_id: str, recordings: Path) -> Furniture:
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
    await _let_call(services)
    return Furniture(
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


async def _let_call(services: Services) -> None:
    """Let the simulated phone do what is clicked, and call everybody: nobody of them is real."""
    phone = (await services.phone_systems.find(SLUG)).phone

    def change(connection: Connection) -> None:
        phones.set_takes_orders(connection, phone.id, takes_orders=True)
        orders.set_destination(connection, phone.id, "*", "agent")

    await services.store.write(change)
