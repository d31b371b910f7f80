"""Every exception that one package may raise to another, named by whose fault it is.

ConnectorError
├── SettingsError                   the administrator's settings
├── CommandError                    what was typed at the command line
├── InvalidValue                    422: a rule refuses what is to be set, whoever asks and by whichever way
├── EventError                      what a phone system sent
│   ├── TooLarge                    413
│   ├── UnknownPhoneSystem          404
│   ├── BadSignature                401
│   ├── UnsupportedFormat           415
│   └── InvalidEvent                422, names the field
├── RequestError                    what a browser or an API client sent
│   ├── NotSignedIn                 401
│   ├── NotAllowed                  403
│   ├── NotFound                    404
│   ├── NotNow                      409, as things stand
│   ├── LinkOver                    410, a link that is used once was used, or is too old
│   ├── InvalidRequest              422
│   ├── RangeNotSatisfiable         416
│   └── TooManyRequests             429
│       └── CallerCreditsUsed       a user's or key's share of a portal's credits a day
├── SignInError                     signing in or linking came to nothing
│   ├── Refused                     rejected at Zoho's consent page
│   ├── NoDeskAccount               Zoho's no_org
│   ├── StateMismatch               wrong, replayed or foreign state
│   ├── UntrustedServer             accounts-server is not the allow-listed one
│   ├── UnknownDataCenter
│   ├── NoMethod                    there is no client at Zoho to do it with
│   ├── NoDeskThere                 a data centre for which no Desk is known
│   ├── NoPortalAnswers             Desk lets the new grant into none of the person's portals
│   ├── CodeRefused                 the code is used up, too old or none of ours
│   ├── NoRefreshToken              Zoho gave a token that cannot be refreshed
│   ├── BadIdentity                 the id token does not hold
│   ├── EmailUnverified             Zoho does not vouch for the e-mail address
│   ├── UnknownPerson               nobody has added this e-mail address
│   ├── IdentityTaken               the user with this address is another Zoho user
│   ├── Deactivated                 the user has been deactivated
│   ├── WrongConnector              the user signs in by other sign-in connectors
│   └── NotOfPortal                 the user is no agent of the portals that the sign-in connector is for
├── ZohoError                       what came of talking to Zoho
│   ├── ZohoRefused                 our request is at fault; sending it again changes nothing
│   │   ├── InvalidData             422 with the fields
│   │   │   └── AlreadyThere        a field is the same as another record's
│   │   ├── Forbidden
│   │   │   └── LicenseLimited      the edition, or the agent's licence, lacks it
│   │   ├── ScopeMissing
│   │   ├── OrgMismatch
│   │   └── RecordNotFound
│   ├── ZohoBusy                    later
│   │   ├── ConcurrencyExceeded     fewer at a time
│   │   ├── CreditsExhausted        wait for Retry-After
│   │   │   └── CreditsKept         there are some, for another use
│   │   └── TokensThrottled         ten minutes
│   ├── ZohoDown                    not applied: never sent, or an answer that says so to a repeatable request
│   ├── OutcomeUnknown              sent, and nobody knows whether it was applied
│   ├── NoToken                     Zoho Accounts gives no token just now: what it was for never left
│   │   └── ClientRefused           client id or secret
│   │       └── MethodDisabled      the portal's authentication method is disabled
│   └── GrantLost                   the grant is revoked, evicted or never given
├── RecordingError                  a recording cannot be had from where the phone system keeps it
│   ├── RecordingMissing            it is not there any more
│   │   ├── RecordingNotYet         it is not there, and may still come
│   │   └── RecordingUnknown        nothing is known of the call
│   ├── RecordingRefused            our credentials, or our rights, do not reach it
│   ├── RecordingNotAllowed         nobody has allowed us to fetch from there
│   ├── RecordingUnfit              what is there is no recording that may be handed on
│   └── RecordingUnreachable        the phone system does not answer
├── MailError                       a mail to administrators cannot be sent
│   ├── MailRefused                 the mail server does not take it, or us
│   └── MailUnreachable             the mail server does not answer
└── StoreError
    ├── StoreBusy                   the queue of writes is full
    └── StoreUnavailable            disk full, read-only, connection lost
"""

from typing import ClassVar


class ConnectorError(Exception):
    """Something did not work; the message says what, who can put it right, and how."""

    reason: ClassVar[str] = "error"


class SettingsError(ConnectorError):
    """A setting is missing or wrong; the message names it."""

    reason = "settings"


class CommandError(ConnectorError):
    """A command cannot be carried out as typed; the message says why and what to type."""

    reason = "command"


class InvalidValue(ConnectorError):
    """Something cannot be set so; the message says why and what to give instead.

    `text` is the message as catalogues have it, with `values` to be put between its braces; `pointer` (a JSON
    pointer) names the field, "" where it is none.
    """

    reason = "invalid_value"
    status: ClassVar[int] = 422

    def __init__(self, text: str, pointer: str = "", **values: object) -> None:
        self.text, self.pointer, self.values = text, pointer, values
        super().__init__(text.format(**values) if values else text)


class EventError(ConnectorError):
    """What the phone system sent cannot be taken."""

    reason = "event"
    status: ClassVar[int] = 422


class TooLarge(EventError):
    """The body is larger than 1 MiB or holds more than 500 events."""

    reason = "too_large"
    status = 413


class UnknownPhoneSystem(EventError):
    """No phone system has this address."""

    reason = "unknown_phone_system"
    status = 404


class BadSignature(EventError):
    """The signature is missing or wrong, or the attempt is older than five minutes."""

    reason = "bad_signature"
    status = 401


class UnsupportedFormat(EventError):
    """The content type is none that this dialect speaks."""

    reason = "unsupported_format"
    status = 415


class InvalidEvent(EventError):
    """A field is missing or wrong; `pointer` is its JSON Pointer (RFC 6901)."""

    reason = "invalid_event"

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class RequestError(ConnectorError):
    """What a browser or an API client asked for cannot be done."""

    reason = "request"
    status: ClassVar[int] = 400


class NotSignedIn(RequestError):
    """There is no valid session or key."""

    reason = "not_signed_in"
    status = 401


class NotAllowed(RequestError):
    """The role does not allow it."""

    reason = "not_allowed"
    status = 403


class NotFound(RequestError):
    """There is no such thing, or it is not shown to this person."""

    reason = "not_found"
    status = 404


class NotNow(RequestError):
    """It cannot be done as things stand; the message says what stands in the way."""

    reason = "not_now"
    status = 409


class LinkOver(RequestError):
    """A link that is used once has been used, or is too old."""

    reason = "link_over"
    status = 410


class InvalidRequest(RequestError):
    """A parameter or the body is wrong."""

    reason = "invalid_request"
    status = 422


class RangeNotSatisfiable(RequestError):
    """The recording has no such bytes; `total` is how many there are, None where nobody knows."""

    reason = "range_not_satisfiable"
    status = 416

    def __init__(self, message: str, total: int | None = None) -> None:
        super().__init__(message)
        self.total = total


class TooManyRequests(RequestError):
    """The caller asks more often than it may; `retry_after_seconds` says when to come back."""

    reason = "too_many_requests"
    status = 429

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CallerCreditsUsed(TooManyRequests):
    """A user or key has spent its share of a portal's credits of the day."""

    reason = "caller_credits"


class SignInError(ConnectorError):
    """Signing in, or linking a portal, came to nothing."""

    reason = "sign_in"


class Refused(SignInError):
    """The request was rejected at Zoho's consent page."""

    reason = "refused"


class NoDeskAccount(SignInError):
    """The person has no account in an application whose scopes were asked for (no_org)."""

    reason = "no_org"


class StateMismatch(SignInError):
    """The state is unknown, used up, expired or belongs to another browser."""

    reason = "state_mismatch"


class UntrustedServer(SignInError):
    """The callback names an accounts server that is not the one of its data centre."""

    reason = "untrusted_server"


class UnknownDataCenter(SignInError):
    """The callback names a data centre that is in no table."""

    reason = "unknown_data_center"


class NoMethod(SignInError):
    """There is no authentication method, and no client in the settings."""

    reason = "no_method"


class NoDeskThere(SignInError):
    """For the data centre no address of Zoho Desk is known."""

    reason = "no_desk_there"


class NoPortalAnswers(SignInError):
    """Desk lets a new grant into none of the person's portals; the message says what each one answers."""

    reason = "no_portal_answers"


class CodeRefused(SignInError):
    """Zoho does not take the code: it is used up, older than two minutes or none of ours."""

    reason = "code_refused"


class NoRefreshToken(SignInError):
    """Linking gave an access token alone, which would be of use for an hour."""

    reason = "no_refresh_token"


class BadIdentity(SignInError):
    """The id token is missing, forged, expired or meant for somebody else."""

    reason = "bad_identity"


class EmailUnverified(SignInError):
    """Zoho tells no e-mail address, or one that it has not verified: it proves nothing."""

    reason = "email_unverified"


class UnknownPerson(SignInError):
    """Zoho knows the person, we do not; `email` is what Zoho calls them."""

    reason = "unknown_person"

    def __init__(self, message: str, email: str = "") -> None:
        super().__init__(message)
        self.email = email


class IdentityTaken(SignInError):
    """The user with this e-mail address has signed in before as another Zoho user."""

    reason = "identity_taken"


class Deactivated(SignInError):
    """An administrator has deactivated this user."""

    reason = "deactivated"


class WrongConnector(SignInError):
    """The user is associated with other sign-in connectors than this one."""

    reason = "wrong_connector"


class NotOfPortal(SignInError):
    """The sign-in connector is for agents of some portals, and the user is an agent of none of them."""

    reason = "not_of_portal"


class ZohoError(ConnectorError):
    """Talking to Zoho did not give what was wanted."""

    reason = "zoho"


class ZohoRefused(ZohoError):
    """Zoho refused the request as it stands; sending it again changes nothing."""

    reason = "zoho_refused"


class InvalidData(ZohoRefused):
    """Desk names fields that are missing or wrong: `fields` maps JSON Pointers to error types."""

    reason = "invalid_data"

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class AlreadyThere(InvalidData):
    """Desk has another record with a value that only one may have, which its search may not find yet."""

    reason = "duplicate"


class Forbidden(ZohoRefused):
    """The authorising agent's profile, edition or data sharing does not allow it."""

    reason = "forbidden"


class LicenseLimited(Forbidden):
    """The portal's edition, or the licence of the authorising agent, does not have it."""

    reason = "license_limited"


class ScopeMissing(ZohoRefused):
    """The grant lacks a scope; only a new consent brings it."""

    reason = "scope_missing"


class OrgMismatch(ZohoRefused):
    """The grant is bound to another portal."""

    reason = "org_mismatch"


class RecordNotFound(ZohoRefused):
    """Desk has no such record, or hides it."""

    reason = "record_not_found"


class ZohoBusy(ZohoError):
    """Zoho wants to be asked later; nothing was applied. `retry_after_seconds` is None if it is not told."""

    reason = "zoho_busy"

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ConcurrencyExceeded(ZohoBusy):
    """Too many requests at a time (TOO_MANY_REQUESTS)."""

    reason = "concurrency_exceeded"


class CreditsExhausted(ZohoBusy):
    """The portal's daily credits are used up (THRESHOLD_EXCEEDED)."""

    reason = "credits_exhausted"


class CreditsKept(CreditsExhausted):
    """What is left of the portal's credits is kept for another use; the message is ours alone."""

    reason = "credits_kept"


class TokensThrottled(ZohoBusy):
    """Zoho Accounts gives no token for ten minutes (Access Denied)."""

    reason = "tokens_throttled"


class ZohoDown(ZohoError):
    """Zoho does not answer as itself, and the request was not applied or may be repeated.

    `status` is that of the answer which came all the same, None where none did.
    """

    reason = "zoho_down"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class OutcomeUnknown(ZohoError):
    """The request left, and no answer in Desk's own words came back: it may have been applied.

    `status` is that of the answer which came all the same, None where none did.
    """

    reason = "outcome_unknown"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NoToken(ZohoError):
    """Zoho Accounts gives no access token just now; whatever it was for has not left, and is not at fault."""

    reason = "no_token"


class ClientRefused(NoToken):
    """Zoho does not take the client id or secret at this data centre; `error` is Zoho's own word for it."""

    reason = "client_refused"

    def __init__(self, message: str, error: str = "") -> None:
        super().__init__(message)
        self.error = error


class MethodDisabled(ClientRefused):
    """The authentication method is disabled: what needs it waits until an administrator enables it."""

    reason = "method_disabled"


class GrantLost(ZohoError):
    """The grant is gone: an administrator must link the portal again."""

    reason = "grant_lost"


class RecordingError(ConnectorError):
    """A recording cannot be had; no message holds its address, which may hold a secret."""

    reason = "recording"


class RecordingMissing(RecordingError):
    """The recording is not where the phone system said that it is."""

    reason = "recording_missing"


class RecordingNotYet(RecordingMissing):
    """The recording is not there, and the call is so fresh that it may still come."""

    reason = "recording_not_yet"


class RecordingUnknown(RecordingMissing):
    """Nothing is known of the call any more, or nothing ever was."""

    reason = "recording_unknown"


class RecordingRefused(RecordingError):
    """Where the recording is kept, our credentials are not taken."""

    reason = "recording_refused"


class RecordingNotAllowed(RecordingError):
    """The recording lies, or leads, where nobody has allowed us to fetch from."""

    reason = "recording_not_allowed"


class RecordingUnfit(RecordingError):
    """What lies there is no audio, too large, or told in a way that cannot be handed on."""

    reason = "recording_unfit"


class RecordingUnreachable(RecordingError):
    """Where the recording is kept, nobody answers in time."""

    reason = "recording_unreachable"


class MailError(ConnectorError):
    """A mail cannot be sent; the message names neither password nor recipient."""

    reason = "mail"


class MailRefused(MailError):
    """The mail server does not take the mail, or our user and password."""

    reason = "mail_refused"


class MailUnreachable(MailError):
    """The mail server does not answer, or is not who it should be."""

    reason = "mail_unreachable"


class StoreError(ConnectorError):
    """The database did not take or give what was asked."""

    reason = "store"


class StoreBusy(StoreError):
    """The queue of writes is full; come back in a second."""

    reason = "store_busy"


class StoreUnavailable(StoreError):
    """The database cannot be written or read at the moment."""

    reason = "store_unavailable"
