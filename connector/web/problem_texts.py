"""The texts of problems: what each reason of `connector.errors` means to the person who meets it."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import msgspec

YOU = "You can put this right yourself."
ADMINISTRATOR = "An administrator of the connector has to put this right."
DESK_ADMINISTRATOR = "An administrator of Zoho Desk has to put this right."
ZOHO = "Only Zoho can put this right; nothing is wrong on your side."
PHONE_ADMINISTRATOR = "Whoever looks after the phone system has to put this right."
NOBODY = "Nobody has to do anything: this passes by itself."


class ProblemText(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one reason: what happened, who can put it right, and how.

    `shows_message`: the exception's message says best what happened, and holds nothing that a stranger wrote.
    `again`: it helps to begin once more, so the page offers that.
    """

    status: int
    title: str
    what: str
    who: str
    todo: tuple[str, ...]
    shows_message: bool = False
    again: bool = False


_retryable = partial(ProblemText, again=True)
_spent = partial(ProblemText, status=503, who=ADMINISTRATOR, shows_message=True)

_REQUESTS: dict[str, ProblemText] = {
    "request": ProblemText(
        status=400,
        title="That cannot be done",
        what="The request does not fit its address.",
        who=YOU,
        todo=("Go back and try another way.",),
        shows_message=True,
    ),
    "not_signed_in": ProblemText(
        status=401,
        title="Sign in first",
        what="You are not signed in, or your session is over.",
        who=YOU,
        todo=("Sign in: you come back to where you wanted to go.",),
        shows_message=True,
    ),
    "not_allowed": ProblemText(
        status=403,
        title="You are not allowed to do that",
        what="Your role does not allow it.",
        who=ADMINISTRATOR,
        todo=("Ask somebody who may do it, or ask an administrator for the role.",),
        shows_message=True,
    ),
    "not_found": ProblemText(
        status=404,
        title="There is nothing here",
        what="No page has this address, or it is not shown to you.",
        who=YOU,
        todo=("Check the address.",),
        shows_message=True,
    ),
    "not_now": ProblemText(
        status=409,
        title="Not at the moment",
        what="That cannot be done at the moment.",
        who=YOU,
        todo=("Try again once the obstacle that is named here is gone.",),
        shows_message=True,
    ),
    "link_over": ProblemText(
        status=410,
        title="This link is over",
        what="This link has been used, or is older than it may be.",
        who="Whoever runs the connector has to put this right.",
        todo=(
            "`connector login-link` makes another one that signs an administrator in.",
            "`connector setup-link` makes another one while there is no administrator.",
        ),
    ),
    "invalid_request": ProblemText(
        status=422,
        title="Something in the request is wrong",
        what="A parameter or the body of the request is wrong.",
        who=YOU,
        todo=("Correct it and send it again.",),
        shows_message=True,
    ),
    "invalid_value": ProblemText(
        status=422,
        title="That cannot be set so",
        what="A rule refuses what is to be set.",
        who=YOU,
        todo=("Correct it and send it again.",),
        shows_message=True,
    ),
    "range_not_satisfiable": ProblemText(
        status=416,
        title="No such part",
        what="The recording is shorter than the part that was asked for.",
        who=YOU,
        todo=("Ask for an earlier part, or for the whole recording.",),
    ),
    "too_many_requests": ProblemText(
        status=429,
        title="Too many requests",
        what="You have sent more requests than are allowed in this time.",
        who=YOU,
        todo=("Wait a moment, then go on more slowly.",),
        shows_message=True,
    ),
    "caller_credits": ProblemText(
        status=429,
        title="Today's credits are used up",
        what="You have used the credits of Zoho Desk that one user or key may spend a day.",
        who=YOU,
        todo=(
            "Go on after 00:00 UTC.",
            "Or ask whoever runs the connector for a larger LOOKUP_CREDITS_PERCENT.",
        ),
        shows_message=True,
    ),
    "event": ProblemText(
        status=422,
        title="The event cannot be taken",
        what="What was sent is not an event.",
        who=YOU,
        todo=("Correct it and send it again.",),
        shows_message=True,
    ),
    "too_large": ProblemText(
        status=413,
        title="Too large",
        what="A request holds at most 1 MiB and 500 events.",
        who=YOU,
        todo=("Send less at a time.",),
        shows_message=True,
    ),
    "unknown_phone_system": ProblemText(
        status=404,
        title="No such phone system",
        what="No phone system has this address.",
        who=YOU,
        todo=("Compare the address with what `connector phones list` shows.",),
        shows_message=True,
    ),
    "bad_signature": ProblemText(
        status=401,
        title="The signature is not valid",
        what="The signature is missing or wrong, or the attempt is older than five minutes.",
        who=YOU,
        todo=("Sign each attempt anew with the phone system's secret.", "Check the sender's clock."),
        shows_message=True,
    ),
    "unsupported_format": ProblemText(
        status=415,
        title="Unsupported format",
        what="This address does not take that content type.",
        who=YOU,
        todo=("Send the content type that the phone system's dialect uses.",),
        shows_message=True,
    ),
    "settings": ProblemText(
        status=500,
        title="A setting of the connector is wrong",
        what="The connector cannot do this with one of its settings as it is.",
        who=ADMINISTRATOR,
        todo=("The connector's log names the setting.",),
    ),
    "store": ProblemText(
        status=503,
        title="The database does not answer",
        what="The connector cannot reach its database.",
        who=ADMINISTRATOR,
        todo=("Try again in a moment.", "If it stays so, the connector's log says why."),
    ),
    "error": ProblemText(
        status=500,
        title="Something went wrong",
        what="A mistake in the connector itself stopped it from doing this.",
        who=ADMINISTRATOR,
        todo=("The connector's log says what happened.",),
    ),
}
"""What a browser, a program or a phone system sent, and what the connector itself lacks."""

BEGIN_AGAIN = "Begin again from the connector's own page, in one browser, and take less than ten minutes."

_SIGN_IN: dict[str, ProblemText] = {
    "sign_in": _retryable(
        status=400,
        title="Zoho reported an error",
        what="Zoho reported an error that the connector does not know.",
        who=ZOHO,
        todo=("Try again in a few minutes.", "If it stays so, tell an administrator."),
    ),
    "refused": _retryable(
        status=403,
        title="Access was declined at Zoho",
        what="Somebody chose Reject on Zoho's consent page, so nothing has changed here.",
        who=YOU,
        todo=(
            "If you want to go on, begin again and choose Accept.",
            "Zoho reports the same after ten attempts in ten minutes: then wait ten minutes.",
        ),
    ),
    "no_org": _retryable(
        status=403,
        title="You have no account in Zoho Desk",
        what="Zoho finds no account in Zoho Desk for you, so nothing has changed here.",
        who=DESK_ADMINISTRATOR,
        todo=("Ask to be made an agent in Zoho Desk, or use the account of a Zoho user who is one.",),
        shows_message=True,
    ),
    "state_mismatch": _retryable(
        status=400,
        title="This attempt is over",
        what="Zoho's answer belongs to no attempt that this browser has under way: "
        "it has been used already, took more than ten minutes, or began in another browser.",
        who=YOU,
        todo=(BEGIN_AGAIN,),
    ),
    "untrusted_server": _retryable(
        status=400,
        title="This answer may not come from Zoho",
        what="It names a server that does not belong to Zoho's data centre. Nothing was sent to that server.",
        who=YOU,
        todo=(
            "Do not use the link that brought you here.",
            BEGIN_AGAIN,
            "If it happens again, tell an administrator.",
        ),
    ),
    "unknown_data_center": _retryable(
        status=400,
        title="An unknown data centre",
        what="Zoho's answer names a data centre that the connector does not know. Nothing was sent there.",
        who=ADMINISTRATOR,
        todo=("If Zoho has a new data centre, add it with ZOHO_DATA_CENTERS.",),
    ),
    "no_method": ProblemText(
        status=503,
        title="The connector is not set up yet",
        what="The connector knows no client at Zoho, so nobody can sign in with Zoho or link a portal yet.",
        who=ADMINISTRATOR,
        todo=(
            "Add and enable an authentication method: /setup leads there step by step.",
            "Where nobody can sign in yet, `connector methods add` does the same.",
        ),
    ),
    "no_desk_there": _retryable(
        status=400,
        title="No address of Zoho Desk is known there",
        what="The connector knows no address of Zoho Desk for your data centre.",
        who=ADMINISTRATOR,
        todo=(
            "If you use Zoho Desk there, set ZOHO_DATA_CENTERS to location=accounts address|Desk address.",
            "Your browser shows the address of Desk; restart the connector after the change.",
            "Otherwise use a Zoho user of a data centre where you use Zoho Desk.",
        ),
        shows_message=True,
    ),
    "no_portal_answers": _retryable(
        status=502,
        title="No portal in Zoho Desk lets the connector in",
        what="Zoho gave its consent, and Zoho Desk then let the connector into none of your portals.",
        who=ADMINISTRATOR,
        todo=(
            "Link again, and choose the portal that you mean on Zoho's consent page.",
            "Where a permission or a scope is named, ask an administrator of Zoho Desk for it first.",
        ),
        shows_message=True,
    ),
    "code_refused": _retryable(
        status=400,
        title="Zoho's code is no longer valid",
        what="Zoho did not accept the code that it gave: it has been used, or is older than two minutes.",
        who=YOU,
        todo=("Begin again.",),
    ),
    "no_refresh_token": _retryable(
        status=502,
        title="Zoho gave access for an hour only",
        what="Without a refresh token the access would end in an hour, so the connector kept nothing.",
        who=YOU,
        todo=("In your Zoho account, under Connected Apps, remove the connector.", "Then link again."),
    ),
    "bad_identity": _retryable(
        status=400,
        title="Zoho's proof of who you are is not valid",
        what="The id token from Zoho is missing, expired, or not made for the connector.",
        who=ADMINISTRATOR,
        todo=(
            "Try again.",
            "If it is about a time (exp, iat), check that the connector's clock is right.",
            "Otherwise report the sentence above to the maintainers: Zoho may have changed its tokens.",
        ),
        shows_message=True,
    ),
    "email_unverified": _retryable(
        status=403,
        title="Your e-mail address is not verified",
        what="Zoho has not verified your e-mail address.",
        who=YOU,
        todo=("Verify the address in your Zoho account, then sign in again.",),
        shows_message=True,
    ),
    "unknown_person": _retryable(
        status=403,
        title="Nobody has added you to the connector yet",
        what="Zoho knows you, but nobody has added you here.",
        who=ADMINISTRATOR,
        todo=(
            "Ask an administrator to run `connector agents add` with this address, then sign in again.",
            "Or use another Zoho account: that signs you out of Zoho in this browser.",
        ),
        shows_message=True,
    ),
    "identity_taken": ProblemText(
        status=403,
        title="This address belongs to another Zoho user",
        what="The user with your e-mail address has signed in before as another Zoho user.",
        who=ADMINISTRATOR,
        todo=("If both are you, ask an administrator to run `connector agents release` with the address.",),
        shows_message=True,
    ),
    "deactivated": ProblemText(
        status=403,
        title="Your user is deactivated",
        what="An administrator has deactivated you here.",
        who=ADMINISTRATOR,
        todo=("If you should have access, ask an administrator to run `connector agents reactivate`.",),
        shows_message=True,
    ),
    "wrong_connector": _retryable(
        status=403,
        title="You sign in another way",
        what="An administrator has chosen other sign-in connectors for you than this one.",
        who=YOU,
        todo=("Sign in by one of yours.", "If you know of none, ask an administrator for its address."),
    ),
    "not_of_portal": _retryable(
        status=403,
        title="You are no agent of these portals",
        what="This way to sign in is for agents of certain portals in Zoho Desk, and you are none there.",
        who=DESK_ADMINISTRATOR,
        todo=(
            "Ask to be made an agent there, with the e-mail address of your Zoho account.",
            "Or use another Zoho account: that signs you out of Zoho in this browser.",
        ),
    ),
}
"""Signing in or linking came to nothing."""

_ZOHO: dict[str, ProblemText] = {
    "zoho": _retryable(
        status=502,
        title="Zoho did not answer as expected",
        what="A request to Zoho failed.",
        who=ZOHO,
        todo=("Try again in a few minutes.",),
    ),
    "zoho_refused": _retryable(
        status=502,
        title="Zoho refused the request",
        what="Zoho refused a request of the connector, and would refuse it again.",
        who=ADMINISTRATOR,
        todo=("The connector's log has the reason that Zoho gave.",),
    ),
    "forbidden": _retryable(
        status=403,
        title="Zoho Desk does not allow it",
        what="The profile, the edition or the data sharing in Zoho Desk does not allow it.",
        who=DESK_ADMINISTRATOR,
        todo=("Give the agent who linked the portal a profile that allows it.",),
    ),
    "scope_missing": _retryable(
        status=403,
        title="A permission is missing",
        what="The connector was not given every permission that it needs.",
        who=ADMINISTRATOR,
        todo=("Link the portal again and agree to everything that is asked.",),
    ),
    "org_mismatch": _retryable(
        status=403,
        title="The permission is for another portal",
        what="The access that was given at Zoho is for another portal than this one.",
        who=ADMINISTRATOR,
        todo=("Link again and choose the right portal.",),
    ),
    "no_token": _retryable(
        status=502,
        title="Zoho gives no access at the moment",
        what="The connector asked Zoho Accounts for an access token and got none.",
        who=ZOHO,
        todo=(
            "Try again in a minute: this passes, and what waits for Zoho Desk is then delivered by itself.",
            "If it stays so, ask an administrator: the connector's log says what Zoho answers.",
        ),
    ),
    "client_refused": _retryable(
        status=502,
        title="Zoho does not accept the client",
        what="Zoho does not accept the client ID or the client secret.",
        who=ADMINISTRATOR,
        todo=(
            "Compare client ID, secret and redirect addresses with the client in Zoho's API console.",
            "What is wrong is mended at the authentication method, or in the settings if it stands there.",
            "A data centre may have its own secret: enter it at the method.",
            "In the settings that is ZOHO_CLIENT_SECRET_ followed by its location.",
            "The client has to be enabled for the data centre of whoever signs in.",
        ),
        shows_message=True,
    ),
    "method_disabled": ProblemText(
        status=503,
        title="The authentication method is disabled",
        what="The authentication method with which the connector comes to Zoho is disabled.",
        who=ADMINISTRATOR,
        todo=("Enable it at /authentication-methods; what waits for Zoho Desk is delivered then.",),
        shows_message=True,
    ),
    "zoho_busy": _retryable(
        status=503,
        title="Zoho is busy",
        what="Zoho received too many requests at a time.",
        who=NOBODY,
        todo=("Wait a little, then try again.",),
    ),
    "credits_exhausted": _spent(
        title="Zoho Desk's credits of today are used up",
        what="All programs that use this Zoho Desk share its credits of a day, and today's are used up.",
        todo=("Calls are taken meanwhile, and what waits for Desk is delivered then; more can be bought.",),
    ),
    "credits_kept": _spent(
        title="The last credits of the day are kept for calls",
        what="Zoho Desk's remaining credits of today are kept for calls that ring and for their records.",
        todo=("Try again when Desk gives new credits, or get more with another edition of Desk.",),
    ),
    "tokens_throttled": _retryable(
        status=503,
        title="Zoho gives no access for ten minutes",
        what="Zoho Accounts has given as many access tokens as it gives in ten minutes.",
        who=NOBODY,
        todo=("Wait ten minutes: trying sooner makes it longer.",),
    ),
    "zoho_down": _retryable(
        status=502,
        title="Zoho does not answer",
        what="The connector did not reach Zoho, or got no proper answer from it.",
        who=ZOHO,
        todo=(
            "Try again in a few minutes.",
            "If it stays so, ask an administrator: the connector's log names the host and what to check.",
        ),
    ),
    "outcome_unknown": ProblemText(
        status=502,
        title="No answer from Zoho",
        what="The request was sent and no answer came: Zoho may have carried it out or not.",
        who=YOU,
        todo=("Look in Zoho Desk before you do it again.",),
    ),
    "grant_lost": _retryable(
        status=503,
        title="The portal has to be linked again",
        what="Zoho no longer accepts the access that was given when the portal was linked.",
        who=ADMINISTRATOR,
        todo=("Link the portal again; what waits for Zoho Desk is delivered then.",),
    ),
}
"""A request to Zoho failed."""

SET_UP = "`connector phones recordings` with the phone system's name shows and changes how they are fetched."

_RECORDINGS: dict[str, ProblemText] = {
    "recording": ProblemText(
        status=502,
        title="The recording is not available",
        what="The phone system keeps the recording, and did not hand it over.",
        who=PHONE_ADMINISTRATOR,
        todo=("Try again in a few minutes.", "If it stays so, tell an administrator."),
        shows_message=True,
    ),
    "recording_missing": ProblemText(
        status=404,
        title="The recording is gone",
        what="It is not at the address that the phone system gave: it has been deleted or moved there.",
        who=PHONE_ADMINISTRATOR,
        todo=("Ask whether it has been moved, or how long recordings are kept.",),
        shows_message=True,
    ),
    "recording_not_yet": ProblemText(
        status=404,
        title="The recording is not there yet",
        what="The call has only just ended, and the phone system has not finished its recording.",
        who=NOBODY,
        todo=("Load this page again in a minute or two.",),
        shows_message=True,
    ),
    "recording_unknown": ProblemText(
        status=404,
        title="Nothing is known of this call",
        what="The connector has never heard of this call, or has deleted what it knew.",
        who=YOU,
        todo=(
            "Check the address.",
            "Old calls are deleted here; ask an administrator whether the recording still exists.",
        ),
        shows_message=True,
    ),
    "recording_refused": ProblemText(
        status=502,
        title="The phone system does not let the connector in",
        what="The server that keeps the recording does not accept the connector's credentials.",
        who=ADMINISTRATOR,
        todo=("Give the connector credentials that may read recordings.", SET_UP),
        shows_message=True,
    ),
    "recording_not_allowed": ProblemText(
        status=502,
        title="The connector may not fetch this recording",
        what="The recording is on, or redirects to, a server that nobody has allowed the connector to use.",
        who=ADMINISTRATOR,
        todo=("If recordings are rightly kept there, allow it.", SET_UP),
        shows_message=True,
    ),
    "recording_unfit": ProblemText(
        status=502,
        title="This recording cannot be played",
        what="What is stored in the recording's place is not audio that can be played here.",
        who=PHONE_ADMINISTRATOR,
        todo=("Check that the recording is complete, in a format such as WAV, MP3 or Ogg.",),
        shows_message=True,
    ),
    "recording_unreachable": ProblemText(
        status=503,
        title="The phone system does not answer",
        what="The phone system keeps the recording, and cannot be reached at the moment.",
        who=PHONE_ADMINISTRATOR,
        todo=("Try again in a few minutes.", "If it stays so, check that its recordings can be reached."),
        shows_message=True,
    ),
}
"""A recording is not available from where the phone system keeps it."""

TEXTS: Mapping[str, ProblemText] = MappingProxyType({**_REQUESTS, **_SIGN_IN, **_ZOHO, **_RECORDINGS})
"""By reason; a reason without a text is told as its parent."""
