"""The CRM that every portal has from the start: it shows and writes what it always did."""

from connector.calls import Flow
from connector.crm.model import (
    AssignRule,
    CrmObject,
    Field,
    PopPolicy,
    Rules,
    SearchRow,
)

NAME = "Zoho Desk"

CONTACTS = CrmObject(
    name="contacts",
    label="Contacts",
    fields=(
        Field(name="firstName", label="First Name", shown=("pop", "card", "list"), editable=True),
        Field(
            name="lastName",
            label="Last Name",
            template="{{ caller.name }}",
            mandatory=True,
            shown=("pop", "card", "list"),
            editable=True,
        ),
        Field(
            name="phone",
            label="Phone",
            type="phone",
            template="{{ caller.number }}",
            shown=("pop", "card", "list"),
            editable=True,
        ),
        Field(name="mobile", label="Mobile", type="phone", shown=("card",), editable=True),
        Field(name="email", label="Email", type="email", shown=("card", "list"), editable=True),
    ),
)

ACCOUNTS = CrmObject(
    name="accounts",
    label="Accounts",
    fields=(
        Field(name="accountName", label="Account Name", mandatory=True, shown=("pop", "card", "list")),
        Field(name="phone", label="Phone", type="phone", shown=("card", "list")),
        Field(name="website", label="Website", type="url", shown=("card",)),
    ),
)

TICKETS = CrmObject(
    name="tickets",
    label="Tickets",
    fields=(
        Field(
            name="subject",
            label="Subject",
            template="{{ call.subject }}",
            mandatory=True,
            shown=("pop", "card", "list"),
            editable=True,
        ),
        Field(
            name="description",
            label="Description",
            type="long_text",
            template="{{ call.description }}",
            editable=True,
        ),
        Field(name="status", label="Status", type="one_of", shown=("pop", "card", "list")),
        Field(name="priority", label="Priority", type="one_of", shown=("pop", "card", "list"), editable=True),
    ),
)

CALLS = CrmObject(
    name="calls",
    label="Calls",
    fields=(
        Field(
            name="contactId", label="ContactId", type="record", template="{{ contact.id }}", mandatory=True
        ),
        Field(name="direction", label="Direction", template="{{ call.direction }}"),
        Field(name="duration", label="Duration", type="number", template="{{ call.duration }}"),
        Field(name="subject", label="Subject", template="{{ call.subject }}", mandatory=True),
        Field(
            name="startTime",
            label="Start time",
            type="date_time",
            template="{{ call.start | date.utc }}",
            mandatory=True,
        ),
        Field(name="status", label="Status", type="one_of", template="{{ call.status }}", mandatory=True),
        Field(name="description", label="Description", type="long_text", template="{{ call.description }}"),
        Field(name="recordingUrl", label="RecordingUrl", type="url", template="{{ recording.url }}"),
    ),
)

RULES = Rules(
    objects=(CONTACTS, ACCOUNTS, TICKETS, CALLS),
    search=(
        SearchRow(object="contacts", fields=("phone", "mobile")),
        SearchRow(object="accounts", enabled=False),
        SearchRow(object="tickets", enabled=False),
    ),
    pop=dict.fromkeys(Flow, PopPolicy()),
    assign=(AssignRule(name="Otherwise"),),
)
"""Accounts and tickets are there to be switched on: asking for them costs credits."""
