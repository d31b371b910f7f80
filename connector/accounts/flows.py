"""Send somebody to Zoho and know them again when they come back: state, nonce, PKCE, and the browser."""

import msgspec

from connector.clock import SECOND, Clock
from connector.crypto import Sealer, digest, new_secret
from connector.store import Store, flows
from connector.store.flows import Flow, Purpose

FLOW_SECONDS = 600
"""How long somebody may take at Zoho."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A flow that goes out: `browser` stays in a cookie, the rest goes into Zoho's address."""

    state: str
    browser: str
    nonce: str
    verifier: str


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """A flow that came back; `location` is where it began, `user_id` who began to link."""

    location: str
    nonce: str
    verifier: str
    user_id: int | None
    next_path: str


class Flows:
    """Keep the flows, of which the store sees neither state nor verifier in the clear."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    async def begin(
        self, purpose: Purpose, *, location: str, next_path: str = "/", user_id: int | None = None
    ) -> Begun:
        """Begin a flow at a data centre; each has a browser secret of its own, so that tabs never meet."""
        begun = Begun(state=new_secret(), browser=new_secret(), nonce=new_secret(), verifier=new_secret())
        now = self._clock()
        flow = Flow(
            state_hash=digest(begun.state),
            browser_hash=digest(begun.browser),
            purpose=purpose,
            location=location,
            sealed_verifier=self._sealer.seal(begun.verifier),
            nonce=begun.nonce,
            user_id=user_id,
            next_path=next_path,
            expires_at=now + FLOW_SECONDS * SECOND,
        )
        await self._store.write(lambda connection: flows.add(connection, flow, now))
        return begun

    async def take(self, purpose: Purpose, *, state: str, browser: str) -> Back | None:
        """Use a flow up; None unless it began here, for this, in this browser, not long ago."""
        now = self._clock()
        flow = await self._store.write(
            lambda connection: flows.take(connection, digest(state), digest(browser), purpose, now)
        )
        if flow is None:
            return None
        return Back(
            location=flow.location,
            nonce=flow.nonce,
            verifier=self._sealer.open(flow.sealed_verifier),
            user_id=flow.user_id,
            next_path=flow.next_path,
        )
