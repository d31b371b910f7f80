"""Write a record whole: what it says, what Desk refuses of it, and what is kept of what stands there."""

from collections.abc import Awaitable, Callable, Mapping

from connector.calls import CallRecord
from connector.delivery.background import Background, department
from connector.delivery.compose import Whose, compose
from connector.delivery.needs import Desk
from connector.delivery.owners import Owners
from connector.errors import InvalidData
from connector.recordings import link
from connector.store.outcomes import Stands
from connector.zoho.fields import CallBody, Written, call_body, without_refused
from connector.zoho.models import DeskCall


class Writing:
    """Compose records with all that belongs to them."""

    def __init__(self, owners: Owners, public_url: str) -> None:
        self._owners = owners
        self._public_url = public_url

    async def call(self, desk: Desk, record: CallRecord, around: Background, contact_id: str) -> CallBody:
        """Return the record as it shall stand in Desk; SettingsError where nothing says where."""
        whose = Whose(
            contact_id=contact_id,
            department_id=department(record, around),
            owner_id=await self._owners.of_call(desk, record, around),
            customer=around.customer,
            line=around.line,
            names={word: user.name for word, user in around.users.items()},
            recording_field=around.portal.recording_field,
            key_field=around.portal.key_field,
            recordings_at=self._page_of(record, around),
        )
        return compose(record, whose)

    def _page_of(self, record: CallRecord, around: Background) -> str | None:
        """Return our page with the recordings, unless the portal wants the phone system's own addresses."""
        if around.portal.recording_links == "original":
            return None
        return link(self._public_url, record.key)


async def without_what_is_refused(
    call: CallBody, send: Callable[[Written, Mapping[str, str]], Awaitable[None]]
) -> None:
    """Send a record, without the optional fields that break Desk's rules or that Desk refuses."""
    refused: dict[str, str] = {}
    while True:
        written = call_body(call)
        try:
            return await send(written, refused | written.left_out)
        except InvalidData as problem:
            rest = without_refused(call, problem)
            if rest is None:
                raise
            call, why = rest
            refused |= why


def stands(call: DeskCall, revision: int, notes: Mapping[str, str] | None = None) -> Stands:
    """Return what stands in Desk now, and what of it is not as wanted."""
    return Stands(
        desk_id=str(call.id),
        desk_url=call.url,
        revision=revision,
        reason="left_out" if notes else "",
        detail="; ".join(f"{name}: {why}" for name, why in (notes or {}).items()),
    )
