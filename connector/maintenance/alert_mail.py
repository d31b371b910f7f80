"""Tell administrators by mail what stands in the way: once an episode, and once that it is over."""

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, select

from connector.clock import MINUTE, Clock
from connector.crypto import digest
from connector.errors import MailError
from connector.logs import masked, spelt_out
from connector.maintenance.mailing import Mail, Mailer
from connector.maintenance.silence import Silence
from connector.metrics import Metrics
from connector.settings import Settings
from connector.store import Store, alerts, crm, portals, users
from connector.store.alerts import Alert, Key
from connector.store.stats import IS_DEAD, IS_NOT_YET_THERE
from connector.store.tables import outbox

WAITS_AFTER = 30 * MINUTE
"""How long a record waits for Desk before that is told."""

SENDING_LASTS = 10 * MINUTE
"""How long nobody else sends what a process has begun to: longer than a mail can take."""

AGAIN_AT_MOST = 30 * MINUTE
RECIPIENTS_AT_MOST = 50
SHOWN_AT_MOST = 50
"""So many things are told of in one mail, one by one; of the others, how many there are."""

CLOSING = (
    "You get this as an administrator of the connector. Each of these is told once, and once when it is over."
)

log = logging.getLogger(__name__)


class _Text(msgspec.Struct, frozen=True):
    """How a kind of alert is told: what stands in the way, what that means, and the page on what to do."""

    title: str
    meaning: str
    page: str
    over: str


TEXTS: Mapping[str, _Text] = {
    "grant_lost": _Text(
        "The portal {name} must be linked again",
        "Zoho does not take its grant any more. Its records wait, none is lost: link it again at "
        "{url}/connect.",
        "runbook-grant-lost",
        "The portal {name} is linked again",
    ),
    "records_wait": _Text(
        "Records of the portal {name} wait for Zoho Desk",
        "The oldest has waited for more than half an hour. None is lost: they are written by themselves once "
        "whatever stands in the way is gone.",
        "runbook-records-wait",
        "No record of the portal {name} waits for long any more",
    ),
    "records_dead": _Text(
        "Records of the portal {name} need a person",
        "Zoho Desk refuses them for good. `connector deliveries list` says why and what to do.",
        "runbook-dead-letters",
        "No record of the portal {name} needs a person any more",
    ),
    "phone_system_silent": _Text(
        "The phone system {name} has fallen silent",
        "Nothing has come from it for longer than is usual at this hour.",
        "runbook-phone-system-silent",
        "The phone system {name} is heard again",
    ),
    "crm_fields_off": _Text(
        "Fields of the portal {name} are not used any more",
        "Zoho Desk has them no more, or of another type than its CRM says; all else goes on. {url}/crm names "
        "them.",
        "crm",
        "All fields of the CRM of the portal {name} are used again",
    ),
}


class AlertMail:
    """Look what stands in the way, and mail what is new or over; every process does, one of them sends."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        silence: Silence,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._silence = silence
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._nobody_told = False

    async def step(self) -> None:
        """Note what stands in the way now, and send one mail with all that is to be told."""
        now = self._clock()
        standing = await self._store.read(lambda c: _of_portals(c, now - WAITS_AFTER))
        silent = [each for each in await self._silence.statuses() if each.state == "silent"]
        standing |= {("phone_system_silent", each.slug): each.name for each in silent}
        await self._store.write(partial(alerts.see, standing=standing, now=now))
        if not (recipients := await self._recipients()):
            return
        sender, until = secrets.token_hex(8), now + SENDING_LASTS
        taking = partial(alerts.take, sender=sender, now=now, until=until)
        if told := await self._store.write(taking):
            await self._send(told, recipients, sender)

    async def _recipients(self) -> Sequence[str]:
        recipients: Sequence[str] = self._settings.mail_to[:RECIPIENTS_AT_MOST]
        if not recipients:
            asked = partial(users.addresses_of_administrators, at_most=RECIPIENTS_AT_MOST)
            recipients = await self._store.read(asked)
        if not recipients and not self._nobody_told:
            log.warning("mail_without_recipients: set MAIL_TO, or add an administrator")
        self._nobody_told = not recipients
        return recipients

    async def _send(self, told: Sequence[Alert], recipients: Sequence[str], sender: str) -> None:
        try:
            refused = await self._mailer.send(written(told, recipients, self._settings.public_url))
        except MailError as problem:
            failures = max(each.failures for each in told)
            until = self._clock() + min(AGAIN_AT_MOST, MINUTE * 2 ** min(failures, 10))
            await self._store.write(partial(alerts.put_back, sender=sender, until=until))
            self._metrics.mails.labels("failed").inc()
            log.warning("mail_not_sent: %s", problem, extra={"reason": problem.reason})
            return
        now = self._clock()
        await self._store.write(partial(alerts.tell, sender=sender, told=told, now=now))
        self._metrics.mails.labels("sent").inc()
        log.info("mail_sent", extra={"alerts": len(told), "recipients": len(recipients), "refused": refused})


def _of_portals(connection: Connection, waiting_since: int) -> dict[Key, str]:
    """Return what stands in the way of deliveries, portal by portal, each by the portal's name."""
    known = {each.id: each for each in portals.list_all(connection)}
    lost = {each.id for each in known.values() if each.state == "grant_lost"}
    late = IS_NOT_YET_THERE, outbox.c.created_at < waiting_since
    waiting = connection.execute(select(outbox.c.portal_id).where(*late).distinct()).scalars()
    # As a sum, because SQLite would read all that is done too, in the order of portals.
    group = outbox.c.portal_id + 0
    dead = connection.execute(select(group).where(IS_DEAD).group_by(group)).scalars()
    kinds = (
        ("grant_lost", lost),
        ("records_wait", set(waiting) - lost),
        ("records_dead", set(dead)),
        ("crm_fields_off", crm.portals_with_fields_off(connection)),
    )
    return {(kind, str(each)): known[each].name for kind, those in kinds for each in sorted(those)}


def written(told: Sequence[Alert], recipients: Sequence[str], public_url: str) -> Mail:
    """Return the mail that tells alerts: what is new first, then what is over."""
    new = [each for each in told if each.over_at is None]
    over = [each for each in told if each.over_at is not None]
    url = public_url.rstrip("/")
    parts = (f"The connector at {url} tells:", *_new(new, url), *_over(over), CLOSING)
    return Mail(
        subject=f"Connector: {_subject(new, over)}",
        text="\n\n".join(parts) + "\n",
        to=recipients,
        # The same for the same alerts, so that a mail that had to be sent again can be known.
        id=f"connector.{digest(repr([msgspec.structs.replace(each, failures=0) for each in told]))[:32]}",
    )


def _subject(new: Sequence[Alert], over: Sequence[Alert]) -> str:
    if len(new) + len(over) == 1:
        return _title(new[0]) if new else _ended(over[0])
    counted = [f"{len(new)} need attention"] if new else []
    return ", ".join([*counted, *([f"{len(over)} over"] if over else [])])


def _new(new: Sequence[Alert], url: str) -> Iterable[str]:
    for each in new[:SHOWN_AT_MOST]:
        text = TEXTS[each.kind]
        todo = f"What to do: {url}/help/{text.page}"
        yield f"{_title(each)}.\n{text.meaning.format(url=url)}\n{todo}"
    if len(new) > SHOWN_AT_MOST:
        yield f"And {len(new) - SHOWN_AT_MOST} more."


def _over(over: Sequence[Alert]) -> Iterable[str]:
    lines = [f"- {_ended(each)}." for each in over[:SHOWN_AT_MOST]]
    if len(over) > SHOWN_AT_MOST:
        lines.append(f"- And {len(over) - SHOWN_AT_MOST} more.")
    if lines:
        yield "\n".join(["Over:", *lines])


def _title(alert: Alert) -> str:
    return TEXTS[alert.kind].title.format(name=_named(alert))


def _ended(alert: Alert) -> str:
    return TEXTS[alert.kind].over.format(name=_named(alert))


def _named(alert: Alert) -> str:
    """Return what people call it, on one line and without a number of somebody's."""
    return spelt_out(masked(alert.name))[:100]
