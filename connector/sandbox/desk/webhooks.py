"""Webhooks: who wants to hear what happens, as many as the edition allows, and only where a URL answers."""

from typing import Any

import msgspec

from connector.sandbox.config import EDITIONS
from connector.sandbox.desk import scopes
from connector.sandbox.desk.door import Answer, Ask, Operation
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import JsonObject, Webhook
from connector.sandbox.desk.refusals import Problem, Refusal, invalid_data
from connector.sandbox.desk.shapes import listing
from connector.sandbox.desk.times import write_time
from connector.sandbox.desk.webhook_bodies import WEBHOOK_CREATE, WEBHOOK_UPDATE

CONFIGURED_MOST = 20

_FIELDS = {
    "subscriptions": "subscriptions",
    "includeEventsFrom": "include_events_from",
    "isEnabled": "is_enabled",
    "name": "name",
    "description": "description",
    "ignoreSourceId": "ignore_source_id",
    "url": "url",
}


def _shape(webhook: Webhook) -> JsonObject:
    return {
        **{name: getattr(webhook, field) for name, field in _FIELDS.items()},
        "id": webhook.id,
        "type": "CUSTOMER_WEBHOOK",
        "createdBy": webhook.creator_id,
        "createdTime": write_time(webhook.created_at),
        "modifiedTime": write_time(webhook.modified_at),
    }


def list_webhooks(ask: Ask) -> Answer:
    """List every webhook."""
    return listing(_shape(each) for each in ask.portal.webhooks.values())


def get_webhook(ask: Ask) -> Answer:
    """Read one webhook."""
    return _shape(_found(ask))


async def create_webhook(ask: Ask) -> Answer:
    """Create a webhook whose URL answers 200, to a GET or else to a POST."""
    webhook = Webhook(
        id=ask.portal.new_id(),
        created_at=ask.now,
        modified_at=ask.now,
        creator_id=ask.agent.id,
        **_values(ask.body),
    )
    if len(ask.portal.webhooks) >= CONFIGURED_MOST:
        raise Refusal("LICENSE_ACCESS_LIMITED")
    _check_edition(ask.portal, webhook)
    await _check_url(ask.portal, webhook.url)
    ask.portal.webhooks[webhook.id] = webhook
    return _shape(webhook)


async def update_webhook(ask: Ask) -> Answer:
    """Change what is given of a webhook; another URL has to answer first."""
    before = _found(ask)
    changed = msgspec.structs.replace(before, modified_at=ask.now, **_values(ask.body))
    _check_edition(ask.portal, changed)
    if changed.url != before.url:
        await _check_url(ask.portal, changed.url)
    ask.portal.webhooks[before.id] = changed
    return _shape(changed)


def delete_webhook(ask: Ask) -> Answer:
    """Delete a webhook."""
    del ask.portal.webhooks[_found(ask).id]
    return None


def _found(ask: Ask) -> Webhook:
    webhook = ask.portal.webhooks.get(ask.path["id"])
    if webhook is None:
        raise Refusal("URL_NOT_FOUND")
    return webhook


def _values(body: JsonObject) -> dict[str, Any]:
    return {_FIELDS[name]: value for name, value in body.items()}


def _check_edition(portal: Portal, webhook: Webhook) -> None:
    """Refuse one more enabled webhook than the edition has."""
    others = [each for each in portal.webhooks.values() if each.is_enabled and each.id != webhook.id]
    if webhook.is_enabled and len(others) >= EDITIONS[portal.org.edition].webhooks:
        raise Refusal("LICENSE_ACCESS_LIMITED")


async def _check_url(portal: Portal, url: str) -> None:
    if not await portal.courier.answers(url):
        raise invalid_data([Problem("/url")])


_LIST, _ONE = "/api/v1/webhooks", "/api/v1/webhooks/{id:int}"

OPERATIONS = (
    Operation(method="GET", path=_LIST, scopes=scopes.READ_WEBHOOKS, handler=list_webhooks, cost="page"),
    Operation(
        method="POST",
        path=_LIST,
        scopes=scopes.CREATE_WEBHOOKS,
        handler=create_webhook,
        body=WEBHOOK_CREATE,
        permission="webhooks",
    ),
    Operation(method="GET", path=_ONE, scopes=scopes.READ_WEBHOOKS, handler=get_webhook),
    Operation(
        method="PATCH",
        path=_ONE,
        scopes=scopes.UPDATE_WEBHOOKS,
        handler=update_webhook,
        body=WEBHOOK_UPDATE,
        permission="webhooks",
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        scopes=scopes.DELETE_WEBHOOKS,
        handler=delete_webhook,
        permission="webhooks",
        empty_status=200,
    ),
)
