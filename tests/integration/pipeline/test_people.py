"""People on pages and at /api/v1: rights, files, Desk's agents, and lists of any length."""

import asyncio
import re
from functools import partial
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection
from starlette.requests import Request

from connector.clock import SECOND
from connector.errors import InvalidValue, NotAllowed, NotNow
from connector.store import audit, people
from connector.store.people import Person, Which
from connector.store.users import User, Word
from connector.web.auth import require_right
from tests.integration.pipeline.place import Place

pytestmark = pytest.mark.anyio

BOSS = "boss@example.com"
TOKEN = re.compile(r'name="token"[^>]*value="([0-9a-f]{64})"')
HIDDEN = re.compile(r'name="(csv|digest)" value="([^"]*)"')
HEADINGS = "email,name,role,extensions,queues\n"


@pytest.fixture
async def office(place: Place) -> Place:
    """Have an administrator beside the three agents."""
    await place.services.agents.add_agent(BOSS, "Boss", "administrator", actor="test")
    return place


async def headers_of(place: Place, email: str) -> dict[str, str]:
    """Sign somebody in."""
    return {"cookie": f"connector-session={await place.signed_in(email)}", "sec-fetch-site": "same-origin"}


async def send(
    place: Place, path: str, fields: dict[str, Any], files: dict[str, Any] | None = None
) -> httpx2.Response:
    """Open a page with a form, fill it in and send it."""
    headers = await headers_of(place, BOSS)
    token = TOKEN.search((await place.client.get(path, headers=headers)).text)
    assert token
    return await place.client.post(path, headers=headers, data=fields | {"token": token[1]}, files=files)


async def emails(place: Place) -> list[str]:
    """Return the addresses of everybody."""
    return [each.user.email for each in await place.services.agents.list_agents()]


@pytest.mark.both_engines
async def test_rights_are_given_one_by_one(office: Place) -> None:
    """For all portals or for one; what is changed is seen too; administrators need none."""
    agents = office.services.agents
    ada, boss = (await agents.find("ada@example.com")).user, (await agents.find(BOSS)).user
    assert await agents.may(boss, "crm", "create")
    assert not await agents.may(ada, "crm", "access")
    await agents.give_rights(ada.id, [("crm", "modify")], portal_id=1, actor="test")
    assert await agents.may(ada, "crm", "access", portal_id=1)
    assert not await agents.may(ada, "crm", "create", portal_id=1)
    assert not await agents.may(ada, "crm", "modify")
    assert not await agents.may(ada, "crm", "modify", portal_id=2)
    await agents.give_rights(ada.id, [("sign_in_connectors", "create")], actor="test")
    assert await agents.may(ada, "sign_in_connectors", "create", portal_id=2)
    assert len(await agents.give_rights(ada.id, [], portal_id=1, actor="test")) == 1
    entry = (await office.services.store.read(audit.newest))[0]
    assert (entry.action, entry.detail) == ("agent.rights", "portal 1 (Zylker): none")
    for wrong in (("crm", "own"), ("calls", "access")):
        with pytest.raises(InvalidValue, match="give one of"):
            await agents.give_rights(ada.id, [wrong], actor="test")


async def test_a_right_opens_a_page(office: Place) -> None:
    """Whoever was not given it is told who gives it."""
    cookie = (await headers_of(office, "ada@example.com"))["cookie"].encode()
    app = type("App", (), {"state": type("State", (), {"services": office.services})})
    scope = {"type": "http", "method": "GET", "path": "/crm", "headers": [(b"cookie", cookie)], "app": app}
    with pytest.raises(NotAllowed, match="the right to modify crm"):
        await require_right(Request(scope), "crm", "modify")
    await office.services.agents.give_rights("ada@example.com", [("crm", "modify")], actor="test")
    assert (await require_right(Request(scope), "crm", "modify")).email == "ada@example.com"


async def test_only_administrators_see_people(office: Place) -> None:
    """Neither pages nor operations are for others."""
    await office.services.agents.change_agent("ada@example.com", role="supervisor", actor="test")
    headers = await headers_of(office, "ada@example.com")
    for path in ("/people", "/people/1", "/people/people.csv", "/people/desk", "/api/v1/people"):
        assert (await office.client.get(path, headers=headers)).status_code == 403
    posted = await office.client.post("/people/1/deactivate", headers=headers, data={})
    assert posted.status_code == 403


async def test_a_form_without_its_token_changes_nothing(office: Place) -> None:
    """Nor does one of another session."""
    headers = await headers_of(office, BOSS)
    for token in ("", "0" * 64):
        for path in ("/people/1/deactivate", "/people/1", "/people/import", "/people/desk"):
            answer = await office.client.post(path, headers=headers, data={"token": token, "csv": HEADINGS})
            assert answer.status_code == 422
    assert (await office.services.agents.find(1)).user.active


async def test_nothing_is_imported_before_it_was_looked_over(office: Place) -> None:
    """The preview says each line; what is confirmed is what was shown, or it is shown again."""
    text = f"{HEADINGS}new@example.com,<b>New</b>,agent,4001 | n.one,support\nada@example.com,Ada F.,,1002,\n"
    text += "bruno@example.com,Bruno,,1001,support\n"
    shown = await send(office, "/people/import", {}, {"file": ("p.csv", text.replace("\n", "\r\n"))})
    assert "Added: 1." in shown.text
    assert "Changed: 2." in shown.text
    assert "&lt;b&gt;New" in shown.text
    assert "new@example.com" not in await emails(office)
    confirmed = {name: unescape(value) for name, value in HIDDEN.findall(shown.text)}
    await office.services.agents.add_agent(
        "late@example.com", "Late", extensions=[(None, "4001")], actor="test"
    )
    again = await send(office, "/people/import", confirmed)
    assert (again.status_code, "4001 belongs to Late" in unescape(again.text)) == (422, True)
    await office.services.agents.change_agent("late@example.com", extensions=[], actor="test")
    done = await send(office, "/people/import", confirmed)
    assert done.status_code == 303
    people_by = {each.user.email: each for each in await office.services.agents.list_agents()}
    assert [word.text for word in people_by["new@example.com"].extensions] == ["4001", "n.one"]
    # The two have changed places, in whichever order the lines stand.
    assert people_by["ada@example.com"].extensions == (Word(0, "1002"),)
    assert people_by["ada@example.com"].queues == ()
    assert people_by["bruno@example.com"].extensions == (Word(0, "1001"),)
    told = [each.action for each in await office.services.store.read(audit.newest)][:3]
    assert told == ["agent.changed", "agent.changed", "agent.added"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("bad,A,agent,,", "'bad' is no e-mail address"),
        ("a@example.com,,agent,,", "The name is empty"),
        ("a@example.com,A,boss,,", "'boss' is no role"),
        ("a@example.com,A,agent,1001,", "1001 belongs to Ada (ada@example.com) already"),
        ("a@example.com,A,agent,1 at berlin,", "There is no phone system berlin"),
        ("a@example.com,A,agent,boss@example.com,", "belongs to Boss"),
        ("boss@example.com,B,agent,,", "is the last administrator"),
        ("z@example.com,Z,agent,77,\ny@example.com,Y,agent,77,", "77 belongs to Z (z@example.com) already"),
        ("z@example.com,Z,agent,,\nZ@example.com,Z,agent,,", "stands in line 2 already"),
    ],
)
async def test_wrong_lines_are_named_and_change_nothing(office: Place, line: str, why: str) -> None:
    """Be the other line as right as it can."""
    text = f"{HEADINGS}{line}\nright@example.com,Right,agent,5005,\n"
    before = await office.services.agents.list_agents()
    preview = await office.services.people_import.preview(text)
    assert [str(each.problem) for each in preview.lines if each.problem and why in str(each.problem)]
    with pytest.raises(InvalidValue, match="Line "):
        await office.services.people_import.carry_out(text, actor="test")
    assert await office.services.agents.list_agents() == before


@pytest.mark.both_engines
async def test_what_is_exported_changes_nothing(office: Place) -> None:
    """Read again, everybody stays as they are; the deactivated are left out."""
    await office.services.agents.deactivate("chiara@example.com", actor="test")
    answer = await office.client.get("/people/people.csv", headers=await headers_of(office, BOSS))
    assert answer.headers["content-disposition"] == 'attachment; filename="people.csv"'
    preview = await office.services.people_import.preview(answer.content.decode("utf-8-sig"))
    assert [each.step for each in preview.lines] == ["same", "same", "same", "left_out"]
    with pytest.raises(NotNow, match="since the preview"):
        await office.services.people_import.carry_out(HEADINGS, digest=preview.digest, actor="test")


async def test_an_upload_has_an_end(office: Place) -> None:
    """More than a file of people can hold is not even parsed."""
    headers = await headers_of(office, BOSS)
    files = {"file": ("p.csv", b"x" * 700_000)}
    answer = await office.client.post("/people/import", headers=headers, files=files)
    assert answer.status_code == 413
    odd = headers | {"content-type": "multipart/form-data; boundary=x"}
    assert (await office.client.post("/people/import", headers=odd, content=b"no form")).status_code == 422


async def test_desks_agents_are_added(office: Place) -> None:
    """Those that are here are marked; extensions come along; one that is taken names its owner."""
    config = office.sandbox.state.config
    by_email = {user.email: user for user in config.users}
    by_email["dmitri@example.com"].extension = "1004"
    by_email["esra@example.com"].extension = "1001"
    by_email["femi@example.com"].active = False
    key = await office.services.keys.add_key("desk", "administrator", actor="test")
    bearer = {"authorization": f"Bearer {key}"}
    listed = (await office.client.get("/api/v1/people/desk?portal_id=1", headers=bearer)).json()["items"]
    found = {each["email"]: each for each in listed}
    assert {email: each["state"] for email, each in found.items()} == {
        "ada@example.com": "here", "bruno@example.com": "here", "chiara@example.com": "here",
        "dmitri@example.com": "new", "esra@example.com": "new", "femi@example.com": "not_active",
    }  # fmt: skip
    assert found["dmitri@example.com"]["departments"] == ["Customer Support", "Billing"]
    shown = await send(
        office,
        "/people/desk?portal=1",
        {"ids": found["esra@example.com"]["id"], "role": "agent", "with_extensions": "y"},
    )
    assert "1001 belongs to Ada" in unescape(shown.text)
    body = {"portal_id": 1, "ids": [found["femi@example.com"]["id"]]}
    refused = await office.client.post("/api/v1/people/desk", headers=bearer, json=body)
    assert "is not active in Desk" in refused.json()["detail"]
    done = await send(
        office,
        "/people/desk?portal=1",
        {"ids": found["dmitri@example.com"]["id"], "role": "supervisor", "with_extensions": "y"},
    )
    assert done.status_code == 303
    dmitri = await office.services.agents.find("dmitri@example.com")
    assert (dmitri.user.role, dmitri.extensions) == ("supervisor", (Word(0, "1004"),))
    rest = await send(office, "/people/desk/all?portal=1", {"role": "agent"})
    assert rest.status_code == 303
    assert "esra@example.com" in await emails(office)
    assert "femi@example.com" not in await emails(office)


def many(connection: Connection, count: int, now: int, letter: str = "p") -> None:
    """Add people, each with an extension and a queue."""
    added = [
        Person(
            user=User(
                id=0, email=f"{letter}{number:04}@example.com", name=f"P {number}", role="agent", active=True
            ),
            extensions=(Word(0, f"{letter}{number:04}"),),
            queues=(Word(0, "support"),),
        )
        for number in range(count)
    ]
    people.add_all(connection, added, now)


@pytest.mark.both_engines
async def test_pages_go_on_where_they_ended(office: Place) -> None:
    """Every person once, by search, role and state too."""
    await office.services.store.write(partial(many, count=7, now=SECOND))
    found, after = list[str](), ""
    while part := await office.services.agents.page(Which(after=after), 3):
        found += [each.user.email for each in part]
        after = found[-1]
    assert found == await emails(office)
    ask = office.services.agents.page
    for which, count in (
        (Which(text="P 3"), 1), (Which(text="p 3"), 1), (Which(text="p0004"), 1), (Which(text="%"), 0),
        (Which(role="administrator"), 1), (Which(active=False), 0),
    ):  # fmt: skip
        assert len(await ask(which, 50)) == count


@pytest.mark.both_engines
async def test_two_administrators_never_demote_each_other(office: Place) -> None:
    """Whoever is second is the last one."""
    agents = office.services.agents
    await agents.change_agent("ada@example.com", role="administrator", actor="test")
    tried = [agents.deactivate(email, actor="test") for email in (BOSS, "ada@example.com")]
    came = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(each, InvalidValue) for each in came) == 1
