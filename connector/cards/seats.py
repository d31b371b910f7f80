"""Decide who may do what with the card of a call: who sees it, by the profile, as far as Desk lets us."""

from collections.abc import Collection

import msgspec

from connector.banner.publisher import Publisher
from connector.banner.views import CallView, Snapshot
from connector.clock import Clock
from connector.crm import Profile, Profiles, Rules
from connector.crm.model import CrmObject, Field, ObjectName, Place
from connector.errors import NotAllowed, NotFound
from connector.portals import Portals
from connector.store import Store, calls, crm
from connector.store.calls import NOBODY
from connector.store.portals import Portal
from connector.store.users import User
from connector.zoho.actions import CARDS, NEW_CONTACTS, NEW_TICKETS, Feature


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """An agent before the card of a call that is on their banner.

    `features` are what the portal's authentication method is enabled for, `off` the fields, by object and
    name, that Desk has no more or refuses. `record_key` is the key of the call that owns the record.
    """

    user: User
    snapshot: Snapshot
    view: CallView
    profile: Profile
    portal: Portal
    features: Collection[Feature]
    off: Collection[tuple[str, str]]
    record_key: str

    @property
    def portal_id(self) -> int:
        """Return the portal that the call belongs to."""
        return self.portal.id

    @property
    def rules(self) -> Rules:
        """Return the rules of the portal's CRM."""
        return self.snapshot.crm.rules

    @property
    def call_id(self) -> int:
        """Return the call."""
        return self.snapshot.row.id

    @property
    def root_id(self) -> int:
        """Return the call that owns the record: this one, or the one that it came out of."""
        return self.snapshot.row.root_id or self.snapshot.row.id

    @property
    def contact_id(self) -> str | None:
        """Return the contact that the call is with, None where nobody knows yet, or it is nobody of them."""
        if self.view.chosen is not None:
            return None if self.view.chosen == NOBODY else self.view.chosen
        return self.view.contacts[0].id if len(self.view.contacts) == 1 else None

    @property
    def is_another(self) -> bool:
        """Tell whether somebody has said that it is none of those who bear the number."""
        return self.snapshot.row.chosen_contact_id == NOBODY

    def sees_object(self, name: ObjectName) -> bool:
        """Tell whether anything of an object is shown to this agent."""
        found = self.profile.access.objects.get(name)
        return self.rules.object(name) is not None and found is not None and found.seen != ()

    def fields(self, name: ObjectName, place: Place | None = None) -> tuple[Field, ...]:
        """Return the fields of an object that this agent sees, in their order: of one place, or of all."""
        crm_object: CrmObject | None = self.rules.object(name)
        return tuple(
            field
            for field in (() if crm_object is None else crm_object.fields)
            if (place is None or place in field.shown)
            and (name, field.name) not in self.off
            and self.profile.sees(self.portal_id, name, field.name)
        )

    def may_edit(self, name: ObjectName, field: Field) -> bool:
        """Tell whether this agent may change a field that they see."""
        may = self.profile.edits(self.portal_id, name, field.name)
        return field.editable and may and CARDS in self.features

    def check_may(self, feature: Feature) -> None:
        """Raise NotAllowed unless this agent may do it, in words that say who can change that."""
        self.check_profile(feature)
        if feature not in self.features:
            raise NotAllowed(
                f"{self.portal.name} is not linked for this: an administrator switches “{feature.title}” on "
                "in its authentication method at /authentication-methods and links it again at /connect."
            )

    def check_profile(self, feature: Feature) -> None:
        """Raise NotAllowed unless the agent's profile allows it, whatever Desk lets us do."""
        access = self.profile.access
        may = {CARDS: access.may_edit, NEW_CONTACTS: access.may_create, NEW_TICKETS: access.may_make_tickets}
        if not may[feature]:
            raise NotAllowed(
                f"Your profile, {self.profile.name}, does not allow this: an administrator can allow it."
            )


class Seats:
    """Find the seats of agents."""

    def __init__(
        self, store: Store, publisher: Publisher, profiles: Profiles, portals: Portals, clock: Clock
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._profiles = profiles
        self._portals = portals
        self._clock = clock

    async def of(self, user: User, call_id: int) -> Seat:
        """Return an agent's seat; NotFound unless the call is on their banner, NotAllowed without a card."""
        snapshot = await self._publisher.read(call_id)
        view = None if snapshot is None else self._publisher.view(user.id, snapshot)
        if snapshot is None or view is None:
            raise NotFound("There is no such call on your banner.")
        profile = await self._profiles.active(user.id)
        portal_id = snapshot.phone.portal_id
        if not (snapshot.crm.enabled and profile.sees_portal(portal_id)):
            raise NotAllowed(
                "There are no cards for you here: an administrator enables the portal's CRM, and gives your "
                "profile access to it."
            )
        portal, root_id = await self._portals.get(portal_id), snapshot.row.root_id
        roots = [] if root_id is None else await self._store.read(lambda c: calls.by_ids(c, [root_id]))
        return Seat(
            user=user,
            snapshot=snapshot,
            view=view,
            profile=profile,
            portal=portal,
            features=await self._portals.features_of(portal),
            off=await self._store.read(lambda c: crm.switched_off(c, portal_id)),
            record_key=roots[0].key if roots else snapshot.row.key,
        )
