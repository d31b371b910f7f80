"""What Zoho does beside its own contract or differently from portal to portal, each by a name of its own.

An oddity is a set of switches and fault rules. `source` says where it was seen: a section of accounts.md, a
contract, or what was found on the running product (findings.md).
"""

from collections.abc import Iterable
from functools import partial
from typing import Literal

import msgspec

from connector.sandbox.faults import Rule
from connector.sandbox.state import SandboxState

Place = Literal["accounts", "sign-in", "desk"]

_CALLS, _CONTACTS, _TOKEN = "/api/v1/calls", "/api/v1/contacts", "/oauth/v2/token"


class Oddity(msgspec.Struct, frozen=True, kw_only=True):
    """One oddity: where it shows, what Zoho does, and the switches and rules that make the sandbox do it.

    With `stops_writing` Desk takes no call record while it is in force.
    """

    name: str
    place: Place
    does: str
    source: str
    switches: dict[str, object] = {}
    rules: tuple[Rule, ...] = ()
    stops_writing: bool = False

    def begin(self, state: SandboxState) -> None:
        """Put it in force."""
        for name, value in self.switches.items():
            setattr(state.config, name, value)
        state.faults.add(*msgspec.json.decode(msgspec.json.encode(self.rules), type=tuple[Rule, ...]))


def named(names: Iterable[str]) -> list[Oddity]:
    """Return the oddities of these names; KeyError names the first that there is not."""
    return [_BY_NAME[name] for name in names]


def _oddity(
    place: Place,
    name: str,
    does: str,
    source: str,
    *rules: Rule,
    stops_writing: bool = False,
    **switches: object,
) -> Oddity:
    return Oddity(
        name=name,
        place=place,
        does=does,
        source=source,
        switches=switches,
        rules=rules,
        stops_writing=stops_writing,
    )


_accounts = partial(_oddity, "accounts")
_sign_in = partial(_oddity, "sign-in")
_desk = partial(_oddity, "desk")
_stopping = partial(_oddity, "desk", stops_writing=True)


def _odd_member(path: str, member: str, value: object, method: str | None = None) -> Rule:
    return Rule(kind="odd_member", path_prefix=path, method=method, member=member, value=value)


_ACCOUNTS = (
    _accounts(
        "denied-with-400",
        "A throttled token request is answered 400 instead of 200.",
        "accounts.md 3",
        access_denied_status=400,
    ),
    _accounts(
        "no-scope-told",
        "A token answer does not say which scopes were granted.",
        "accounts.md 3",
        scope_in_token_answer=False,
    ),
    _accounts(
        "older-expiry",
        "`expires_in` counts milliseconds, with `expires_in_sec` beside it.",
        "accounts.md 3",
        older_expiry=True,
    ),
    _accounts(
        "other-api-domain",
        "`api_domain` names https://api.zoho.com, which is not where Desk is.",
        "accounts.md 3",
        api_domain_style="api.zoho",
    ),
    _accounts("code-of-a-minute", "A code lives for 60 seconds.", "accounts.md 2", code_life_seconds=60),
    _accounts(
        "short-lived-tokens",
        "Access tokens live four minutes.",
        "findings.md, Zoho's answers",
        access_token_life_seconds=240,
    ),
    _accounts(
        "one-active-token",
        "Each new access token ends the one before.",
        "accounts.md 3",
        active_access_tokens=1,
    ),
    _accounts(
        "one-secret",
        "All data centres share one client secret.",
        "accounts.md 2",
        secret_per_data_center=False,
    ),
    _accounts(
        "callback-without-ampersand",
        "The callback's query does not end with a stray &.",
        "accounts.md 2",
        stray_ampersand=False,
    ),
    _accounts(
        "throttle-lengthened",
        "Asking while throttled begins the wait anew.",
        "accounts.md 3",
        retry_lengthens_throttle=True,
    ),
    _accounts(
        "refreshing-fails-at-times",
        "One refresh in four fails although the grant is good.",
        "findings.md, Zoho's answers",
        Rule(kind="token_error", path_prefix=_TOKEN, containing="refresh_token", probability=0.25),
    ),
)

_SIGN_IN = (
    _sign_in("nonce-echoed", "The id token has the nonce.", "accounts.md 4", nonce_echoed=True),
    _sign_in(
        "key-id", "The id token's header has `key_id` for `kid`.", "accounts.md 4", jwt_key_named="key_id"
    ),
    _sign_in("key-id-and-kid", "The header has both.", "findings.md, Zoho's answers", jwt_key_named="both"),
    _sign_in(
        "key-unnamed",
        "The header names no key at all.",
        "findings.md, Zoho's answers",
        jwt_key_named="neither",
    ),
    _sign_in("padded-token", "The id token's base64 is padded.", "accounts.md 4", jwt_padded=True),
    _sign_in("number-as-sub", "`sub` is a number.", "findings.md, Zoho's answers", jwt_sub_number=True),
    _sign_in(
        "odd-keys",
        "The key set also has keys without `kid` and of unknown types.",
        "findings.md, Zoho's answers",
        odd_keys=True,
    ),
)

_DESK = (
    _desk("html-401", "A token that is over is answered by a page.", "accounts.md 5", desk_401_html=True),
    _desk(
        "threshold-without-time",
        "A day's credits used up: no Retry-After.",
        "accounts.md 6",
        threshold_retry_after=False,
    ),
    _desk(
        "no-credit-headers", "Answers do not tell the credits left.", "accounts.md 6", credit_headers=False
    ),
    _desk(
        "partial-changes",
        "A PATCH need not name the five members that the contract requires.",
        "calls.yaml",
        patch_requires_all=False,
    ),
    _desk(
        "older-contract",
        "Call records must name direction and duration, also in a PATCH.",
        "calls.yaml, x-official-older-required",
        older_contract=True,
    ),
    _desk(
        "more-required",
        "A PATCH must name the direction too.",
        "findings.md, Zoho's answers",
        patch_requires_more=["direction"],
    ),
    _desk(
        "custom-fields-replaced",
        "Custom fields that a PATCH does not name are emptied.",
        "findings.md, Zoho's answers",
        patch_replaces_cf=True,
    ),
    _desk(
        "description-as-html",
        "A description comes back as an editor's HTML.",
        "findings.md, Zoho's answers",
        description_as_html=True,
    ),
    _desk(
        "unique-phones",
        "A second contact with a number is a duplicate.",
        "findings.md, Zoho's answers",
        contact_phones_unique=True,
    ),
    _desk(
        "no-newest-first",
        "Sorting newest first is refused.",
        "findings.md, Zoho's answers",
        descending_sort_refused=True,
    ),
    _desk(
        "slow-index", "A search finds what was written a minute ago.", "calls.yaml", index_delay_seconds=60
    ),
    _desk(
        "no-custom-fields",
        "There are no custom fields.",
        "calls.yaml",
        call_custom_fields=[],
        custom_fields=[],
    ),
    _desk(
        "times-as-numbers",
        "Times come as epoch milliseconds.",
        "calls.yaml, x-official-example-note",
        times_as_numbers=True,
    ),
    _desk(
        "empty-lists",
        "An empty list is 200 with `data: []`, not 204.",
        "accounts.md 5, the other way round",
        empty_lists_answered=True,
    ),
    _desk(
        "hidden-members",
        "What the linking agent's profile hides is left out: e-mail and account.",
        "accounts.md 7",
        hidden_members=["email", "accountId", "account"],
    ),
    _desk(
        "hidden-fields",
        "More of it: the plan and the region, which are custom, and a ticket's priority.",
        "accounts.md 7",
        hidden_members=["cf_plan", "cf_region", "priority"],
    ),
    _desk(
        "more-mandatory",
        "The layouts of all departments want a priority of a new ticket, one of them a category too.",
        "crm-objects.md 3",
        mandatory_fields={"tickets": ["priority"], "tickets/Billing": ["category"]},
    ),
    _desk(
        "fields-gone",
        "The plan of contacts, the region of accounts and the outcome of calls have been deleted.",
        "crm-objects.md 6",
        custom_fields=[],
    ),
    _desk(
        "cf-as-list", "`cf` is an empty list.", "findings.md, Zoho's answers", _odd_member(_CALLS, "cf", [])
    ),
    _desk(
        "no-time-of-creation",
        "`createdTime` is empty text.",
        "findings.md, Zoho's answers",
        _odd_member("/api/v1/", "createdTime", ""),
    ),
    _desk(
        "duration-with-a-point",
        '`duration` is "300.0".',
        "findings.md, Zoho's answers",
        _odd_member(_CALLS, "duration", "300.0"),
    ),
    _desk(
        "account-as-text",
        "A contact's `account` is empty text.",
        "findings.md, Zoho's answers",
        _odd_member(_CONTACTS, "account", ""),
    ),
    _desk(
        "errors-null",
        "`errors` is null, in refusals too.",
        "findings.md, Zoho's answers",
        _odd_member("/api/v1/", "errors", None),
    ),
    _desk(
        "message-null",
        "`message` is null, in refusals too.",
        "findings.md, Zoho's answers",
        _odd_member("/api/v1/", "message", None),
    ),
    _desk(
        "first-create-refused",
        "A valid call record is refused once.",
        "findings.md, Zoho's answers",
        Rule(kind="refusal", path_prefix=_CALLS, method="POST", times=1),
    ),
    _desk(
        "first-create-made-unsaid",
        "The first call record is made, and the connection closed without an answer.",
        "accounts.md 6",
        Rule(kind="drop", path_prefix=_CALLS, method="POST", times=1),
    ),
    _desk(
        "first-create-late",
        "The first call record is made ten seconds after its connection ended.",
        "delivery.md",
        Rule(kind="late", path_prefix=_CALLS, method="POST", times=1, seconds=10),
    ),
    _stopping(
        "page-instead-of-calls",
        "A page stands where Desk's calls were: 404, and not Desk's word.",
        "findings.md, Zoho's answers",
        Rule(kind="html", path_prefix=_CALLS, method="POST", status=404),
    ),
    _stopping(
        "calls-forbidden",
        "The profile of whoever linked the portal may not create calls.",
        "accounts.md 7",
        Rule(kind="refusal", path_prefix=_CALLS, method="POST", status=403, code="FORBIDDEN"),
    ),
    _stopping(
        "edition-without-calls",
        "The portal's edition does not have calls.",
        "accounts.md 5",
        Rule(kind="refusal", path_prefix=_CALLS, method="POST", status=403, code="LICENSE_ACCESS_LIMITED"),
    ),
    _stopping(
        "scope-missing",
        "The token lacks the scope, and Desk answers 401.",
        "accounts.md 5",
        Rule(kind="refusal", path_prefix=_CALLS, method="POST", status=401, code="SCOPE_MISMATCH"),
    ),
    _stopping(
        "other-portals-token",
        "Desk says that the token is another portal's.",
        "accounts.md 5",
        Rule(kind="refusal", path_prefix=_CALLS, method="POST", status=403, code="OAUTH_ORG_MISMATCH"),
    ),
)

ODDITIES = (*_ACCOUNTS, *_SIGN_IN, *_DESK)
_BY_NAME = {oddity.name: oddity for oddity in ODDITIES}
