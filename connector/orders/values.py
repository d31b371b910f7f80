"""Hold who asks for what, and what came of it."""

from hashlib import sha256
from typing import Literal

import msgspec

from connector.store.orders import OrderKind
from connector.store.users import Role, User

OutcomeState = Literal["done", "refused", "unknown"]


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a user, or the holder of a key, who has no telephone of their own."""

    name: str
    role: Role
    user: User | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for under a key: asked again under the same key it is the same order.

    `number` is whom to call, or the colleague whom the call goes to: an extension, a login or an e-mail
    address. `agent` names whose telephone, where it is not the asker's own; `phone` the phone system's slug.
    `call` is our id of the call. `contact` is the Desk contact that is called, where the asker knows it.
    """

    kind: OrderKind
    key: str
    number: str = ""
    agent: str | None = None
    phone: str | None = None
    call: int = 0
    contact: str | None = None

    @property
    def digest(self) -> str:
        """Return a short word that no other request has, under whatever key."""
        said = (self.kind, self.number, self.agent, self.phone, self.call, self.contact)
        return sha256(msgspec.json.encode(said)).hexdigest()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone system says came of an order; `reason` is one of `words.REASONS`."""

    state: OutcomeState
    reason: str = ""
    detail: str = ""
