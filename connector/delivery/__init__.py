"""Bring call records and their contacts to Zoho Desk: the first two kinds of rows of the outbox.

A record whose outcome is unknown is looked for in Desk (`reconcile`) before it is sent again; one that stands
there is changed without touching what people have edited (`merging`).
"""

import logging
from collections.abc import Mapping

from connector.clock import Clock
from connector.contacts import ContactLookup
from connector.delivery.contacts import Contacts
from connector.delivery.records import Records
from connector.outbox import Deliver
from connector.portals.refused_work import describe_refusal
from connector.settings import Settings
from connector.store import Store
from connector.store.outbox import Kind
from connector.store.refusals import Refusal

log = logging.getLogger(__name__)


def kinds(
    store: Store, contact_lookup: ContactLookup, settings: Settings, clock: Clock
) -> Mapping[Kind, Deliver]:
    """Return who delivers rows of which kind."""
    contacts = Contacts(store, contact_lookup, settings, clock)
    records = Records(store, contacts, settings, clock)
    return {"call": records.deliver, "contact": contacts.deliver}


def log_refusal(refusal: Refusal) -> None:
    """Tell whoever reads the log why Desk takes no write of a kind, and what to do about it."""
    said = describe_refusal(refusal)
    log.error("%s: %s", said.what, said.remedy, extra={"reason": refusal.reason, "portal": refusal.portal_id})
