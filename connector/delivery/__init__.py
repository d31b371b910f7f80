"""Bring call records to Zoho Desk, with their contacts and tickets: the kinds of rows of the outbox.

A record whose outcome is unknown is looked for in Desk (`reconcile`) before it is sent again; one that stands
there is changed without touching what people have edited (`merging`).
"""

import logging
from collections.abc import Mapping

from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.crm import Rulebook
from connector.delivery.after_restore import Restored
from connector.delivery.contacts import Contacts
from connector.delivery.drift import Drift
from connector.delivery.record_builder import Owners, RecordBuilder
from connector.delivery.records import Records
from connector.delivery.routing import Routing
from connector.delivery.tickets import Tickets
from connector.outbox import Deliver
from connector.portals.refused_work import describe_refusal
from connector.settings import Settings
from connector.store import Store
from connector.store.outbox import Kind
from connector.store.refusals import Refusal

log = logging.getLogger(__name__)


def kinds(
    store: Store,
    contact_lookup: ContactLookup,
    settings: Settings,
    clock: Clock,
    rulebook: Rulebook | None = None,
) -> Mapping[Kind, Deliver]:
    """Return who delivers rows of which kind; without a `rulebook` rules are read by one of their own."""
    rulebook = rulebook or Rulebook(store, clock)
    drift = Drift(store, rulebook, clock)
    restored = Restored(store, settings, clock)
    contacts = Contacts(store, contact_lookup, settings, clock)
    builder = RecordBuilder(store, Owners(store, clock), drift, settings.public_url)
    routing = Routing(store, rulebook, clock)
    records = Records(store, contacts, builder, routing, restored, settings, clock)
    tickets = Tickets(store, contact_lookup, restored, drift, settings, clock)
    return {
        "call": records.deliver,
        "contact": contacts.deliver,
        "ticket": tickets.deliver,
        "comment": tickets.deliver_comment,
    }


def log_refusal(refusal: Refusal) -> None:
    """Tell whoever reads the log why Desk takes no write of a kind, and what to do about it."""
    said = describe_refusal(refusal)
    log.error("%s: %s", said.what, said.remedy, extra={"reason": refusal.reason, "portal": refusal.portal_id})
