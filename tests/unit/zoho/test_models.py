"""Reading Desk's records."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import to_iso
from connector.zoho.layouts import DeskField, Layout
from connector.zoho.models import Contact, DeskAgent, DeskCall, Ticket, desk_record, one, page
from tests.unit.zoho.samples import sample


def test_a_call_record() -> None:
    """Ids are texts and times are moments, however they were sent."""
    call = one(DeskCall)(sample("call.json"))
    assert (call.id, call.contact_id, call.owner_id) == ("3000000054002", "1892000000088017", None)
    assert call.started_at == 1_469_465_531_000
    assert call.created_at == 1_468_484_846_000
    assert call.duration_seconds == 300
    assert call.cf == {"cf_recordingurl": None}


def test_contacts_of_a_search() -> None:
    """Names and accounts come as they are; what is hidden is missing."""
    known, hidden = page(Contact)(sample("contacts_found.json"))
    assert (known.name, known.account_name) == ("Mira Solberg", "Harbour Tools")
    assert known.modified_at == 1_767_603_600_000
    assert (hidden.id, hidden.name, hidden.account_name) == ("1892000000088018", "Nameless", None)


def test_tickets() -> None:
    """The type of a status says open or closed whatever it is called."""
    (ticket,) = page(Ticket)(sample("tickets.json"))
    assert (ticket.number, ticket.status, ticket.status_type) == ("101", "Waiting", "On Hold")


def test_a_record_as_a_whole() -> None:
    """Custom fields stand among the others by their names, nothing is lost, and empty is not hidden."""
    record = desk_record(
        b'{"id":7,"lastName":"Brantley","email":null,"cf":{"cf_plan":"Premium","lastName":"x"},'
        b'"customFields":{"Plan":"Premium"},"account":{"id":"8","accountName":"Wexcombe"},"isTrashed":"true",'
        b'"webUrl":"https://desk.example/7","modifiedTime":"1970-01-01T00:00:02.000Z","createdTime":1000}'
    )
    assert (record.id, record.url, record.modified_at, record.created_at) == (
        "7",
        "https://desk.example/7",
        2_000,
        1_000,
    )
    assert (record.values["lastName"], record.values["cf_plan"]) == ("Brantley", "Premium")
    assert record.values["email"] is None
    assert record.values["account"] == {"id": "8", "accountName": "Wexcombe"}
    assert not {"phone", "cf", "customFields"} & record.values.keys()
    assert record.is_gone
    with pytest.raises(msgspec.MsgspecError):
        desk_record(b'{"lastName":"Brantley"}')


def test_a_layout_with_its_fields() -> None:
    """Its fields come in the order of its sections; some records must have; options are told in two forms."""
    layout = one(Layout)(
        b'{"id":1,"layoutName":"Billing","module":"Cases","departmentId":"3","isDefaultLayout":true,"sections":['
        b'{"id":1,"name":"Ticket","fields":[{"id":2,"apiName":"subject","isMandatory":true},{"apiName":"x"}]},'
        b'null,{"name":"More","fields":[{"id":4,"apiName":"category","type":"Picklist","isMandatory":"true",'
        b'"maxLength":"120","allowedValues":["General","Defects"]}]},{"name":"None","fields":null}]}'
    )
    assert [section.name for section in layout.sections or ()] == ["Ticket", "More", "None"]
    assert [field.api_name for field in layout.fields] == ["subject", "category"]
    assert [field.api_name for field in layout.mandatory] == ["subject", "category"]
    assert (layout.fields[1].most, layout.fields[1].options) == (120, ("General", "Defects"))
    listed = one(DeskField)(b'{"id":1,"pickListValues":[{"value":"Basic"},{"value":"Premium"},{}]}')
    assert (listed.options, listed.takes_text) == (("Basic", "Premium"), True)
    assert one(DeskField)(b'{"id":1,"type":"Picklist","pickListValues":""}').options == ()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"id":1,"firstName":"A","lastName":"B"}', "A B"),
        (b'{"id":1,"lastName":"B"}', "B"),
        (b'{"id":1,"emailId":"a@example.com","firstName":""}', "a@example.com"),
        (b'{"id":1}', ""),
    ],
)
def test_names_of_agents(body: bytes, name: str) -> None:
    """An agent is called what there is to call them."""
    assert one(DeskAgent)(body).name == name


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000_000), st.booleans())
def test_moments_in_both_writings(at: int, as_text: object) -> None:
    """ISO 8601 and epoch milliseconds mean the same."""
    written = f'"{to_iso(at)}"' if as_text else str(at)
    read = one(DeskCall)(f'{{"id":"1","startTime":{written}}}'.encode())
    assert read.started_at == at
