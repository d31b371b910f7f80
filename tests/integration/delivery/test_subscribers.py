"""One subscriber is one contact, however the number is spelt; who can be told apart has one of their own."""

import msgspec
import pytest

from connector.calls import Direction
from connector.delivery.contacts import ContactRecord
from connector.store import outbox, phones
from connector.store.calls import NOBODY
from connector.store.outbox import Wanted
from tests.integration.delivery.env import CONTACTS, NOON, Environment

pytestmark = pytest.mark.anyio

MOBILE, LANDLINE = "+5491155554321", "+541155554321"
SPELT = [
    ("011 5555-4321", "AR", MOBILE),
    ("+54 9 11 15 5555 4321", "AR", LANDLINE),
    ("+52 55 1234 5678", "MX", "+5215512345678"),
    ("+52 1 55 1234 5678", "US", "+525512345678"),
    ("+55 11 8765-4321", "BR", "+5511987654321"),
    ("+39 6 1234 5678", "FR", "+390612345678"),
]


@pytest.mark.parametrize(("typed", "country", "caller"), SPELT)
async def test_a_contact_under_another_spelling(
    env: Environment, typed: str, country: str, caller: str
) -> None:
    """The record goes on it, and none is made."""
    line = {"AR": "+541143210000", "MX": "+525543210000", "BR": "+551132100000", "US": "+12125550100"}
    known = env.state.desk.add_contact(last_name="Known", phone=typed)
    before = len(list(env.portal.contacts.present()))
    await env.want(env.record(customer=caller, line=line.get(country, "+33987654321")))
    await env.drain()
    assert env.call.contact_id == known.id
    assert len(list(env.portal.contacts.present())) == before


async def test_two_spellings_make_one_contact(env: Environment) -> None:
    """Two calls of one unknown subscriber, each spelt in its way, at one time."""
    await env.want(env.record("c-1", customer=MOBILE), env.record("c-2", customer=LANDLINE))
    await env.drain()
    assert len({call.contact_id for call in env.calls}) == 1
    assert len(env.contacts_of(MOBILE) + env.contacts_of(LANDLINE)) == 1


async def test_a_landline_is_no_mobile(env: Environment) -> None:
    """Sao Paulo's 3765-4321 is not 93765-4321."""
    landline = env.state.desk.add_contact(last_name="Landline", phone="+55 11 3765-4321")
    await env.want(env.record(customer="+5511937654321"))
    await env.drain()
    assert env.call.contact_id != landline.id


@pytest.mark.parametrize(
    ("customer", "name"),
    [
        ("+0033123456789", "+0033123456789"),
        ("+" + "9" * 20, "+" + "9" * 20),
        ("57575", "57575"),
        ("41812886393", "41812886393"),
        ("Bob", "Bob (unreadable number)"),
        ("sip:bob@pbx.example", "bob@pbx.example (internet call address)"),
    ],
)
async def test_what_cannot_be_read_is_not_withheld(env: Environment, customer: str, name: str) -> None:
    """It is recorded as it came, on a contact that those calls share and nobody else's."""
    env.state.desk.add_contact(last_name="Bob")
    await env.want(
        env.record("c-1", customer=customer),
        env.record("c-2", customer=customer),
        env.record("c-3", customer="+0033123456780"),
        env.record("c-4", customer="anonymous"),
    )
    await env.drain()
    (contact,) = env.contacts_named(name)
    (withheld,) = env.contacts_named("Withheld number")
    (other,) = env.contacts_named("+0033123456780")
    told = sorted(call.contact_id for call in env.calls)
    assert told == sorted([contact.id, contact.id, other.id, withheld.id])


async def test_a_contact_that_waits_under_an_old_spelling(env: Environment) -> None:
    """Whether it stands from before the upgrade or the old version writes it beside us: it is made once."""
    record = msgspec.json.encode(ContactRecord(last_name="+54 9 11", phone=MOBILE, country="AR"))
    waiting = Wanted(portal_id=1, kind="contact", key=MOBILE, call_id=None, record=record, due_at=NOON)
    await env.store.write(lambda c: outbox.want_once(c, waiting, env.clock()))
    await env.want(env.record("c-1", customer=MOBILE), env.record("c-2", customer=LANDLINE))
    await env.drain()
    (contact,) = env.contacts_of(MOBILE)
    assert {call.contact_id for call in env.calls} == {contact.id}
    assert await env.store.read(lambda c: outbox.find(c, 1, "contact", LANDLINE)) is None


async def test_an_outside_line(env: Environment) -> None:
    """What is dialled before a number is no part of it, where the phone system says so."""
    known = env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    await env.store.write(lambda c: phones.set_prefixes(c, 1, ["0", "*67"]))
    facts = {"direction": Direction.OUTBOUND, "customer": "*6700612345678"}
    await env.want(env.record("c-1", **facts), env.record("c-2", **facts | {"customer": "00612345678"}))
    await env.drain()
    assert {call.contact_id for call in env.calls} == {known.id}


@pytest.mark.both_engines
async def test_none_of_those_who_bear_the_number(env: Environment) -> None:
    """Each such call gets a contact of its own with the number; the next call finds all of them."""
    known = env.state.desk.add_contact(last_name="Known", phone=LANDLINE)
    records = env.record("c-1", customer=LANDLINE), env.record("c-2", customer=LANDLINE)
    await env.want(*records)
    for record in records:
        await env.choose(record, NOBODY)
    await env.drain()
    others = [contact.id for contact in env.contacts_of(LANDLINE) if contact.id != known.id]
    assert len(others) == 2
    assert sorted(call.contact_id for call in env.calls) == sorted(others)
    await env.drain()
    assert len(env.contacts_of(LANDLINE)) == 3


async def test_a_contact_of_ones_own_is_made_once(env: Environment) -> None:
    """Whose answer is lost it is looked for: not the one that was there, but the one that was made."""
    known = env.state.desk.add_contact(last_name="Known", phone=LANDLINE)
    record = env.record(customer=LANDLINE)
    await env.want(record)
    await env.choose(record, NOBODY)
    env.strike("drop", CONTACTS)
    await env.settle()
    (other,) = [contact for contact in env.contacts_of(LANDLINE) if contact.id != known.id]
    assert env.call.contact_id == other.id


@pytest.mark.parametrize("how", ["drop", "server_error", "each once", "each once, drop"])
@pytest.mark.parametrize("count", [1, 2])
async def test_none_of_those_just_made(env: Environment, how: str, count: int) -> None:
    """Whatever becomes of the answers: never the contact of the call before, and no two share one."""
    env.state.config.contact_phones_unique = how.startswith("each")
    await env.want(env.record("c-0", customer=LANDLINE))
    await env.settle()
    (first,) = env.contacts_of(LANDLINE)
    env.advance(20)
    before = len(list(env.portal.contacts.present()))
    records = [env.record(f"c-{number}", customer=LANDLINE) for number in range(1, count + 1)]
    await env.want(*records)
    for record in records:
        await env.choose(record, NOBODY)
    if how.startswith("each"):
        await env.drain()
    if how != "each once":
        env.strike("server_error" if how == "server_error" else "drop", CONTACTS, times=count)
    await env.settle()
    told = [call.contact_id for call in env.calls]
    assert told.count(first.id) == 1
    assert len(set(told)) == count + 1
    assert len(list(env.portal.contacts.present())) == before + count


async def test_where_each_number_is_once(env: Environment) -> None:
    """Desk refuses a second contact with the number: who it is not gets one by name alone."""
    env.state.config.contact_phones_unique = True
    known = env.state.desk.add_contact(last_name="Known", phone=LANDLINE)
    record = env.record(customer=LANDLINE)
    await env.want(record)
    await env.choose(record, NOBODY)
    await env.settle()
    assert env.call.contact_id != known.id
    assert [contact.id for contact in env.contacts_of(LANDLINE)] == [known.id]
