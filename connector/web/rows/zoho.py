"""What came of talking to Zoho."""

from connector.web.rows.row import ADMINISTRATORS, DESKS, NOBODYS, YOURS, ZOHOS, Row

CONSOLE = "Compare client ID, secret and redirect addresses with the client in Zoho's API console."

ROWS = {
    "zoho": Row(
        status=502,
        title="Zoho did not answer as it should",
        what="Talking to Zoho came to nothing.",
        whose=ZOHOS,
        todo=("Try again in a few minutes.",),
        again=True,
    ),
    "zoho_refused": Row(
        status=502,
        title="Zoho refused",
        what="Zoho refused the request as it stands.",
        whose=ADMINISTRATORS,
        todo=("Look into the connector's log for the reason that Zoho gives.",),
        again=True,
    ),
    "forbidden": Row(
        status=403,
        title="Zoho Desk forbids it",
        what="The profile, the edition or the data sharing in Zoho Desk does not allow it.",
        whose=DESKS,
        todo=("Give the agent who links the portal a profile that may do it.",),
        again=True,
    ),
    "scope_missing": Row(
        status=403,
        title="A permission is missing",
        what="The grant does not hold every permission that is needed.",
        whose=ADMINISTRATORS,
        todo=("Link the portal again and agree to everything that is asked.",),
        again=True,
    ),
    "org_mismatch": Row(
        status=403,
        title="The grant belongs to another portal",
        what="Zoho bound the grant to another portal than this one.",
        whose=ADMINISTRATORS,
        todo=("Link again and choose the right portal.",),
        again=True,
    ),
    "no_token": Row(
        status=502,
        title="Zoho gives no access just now",
        what="Zoho Accounts was asked for a token and gave none.",
        whose=ZOHOS,
        todo=(
            "Try again in a minute: this passes, and what waits for Zoho Desk goes by itself then.",
            "If it stays so, ask an administrator: the connector's log says what Zoho answers.",
        ),
        again=True,
    ),
    "client_refused": Row(
        status=502,
        title="Zoho does not take our client",
        what="Zoho does not take the client ID or the client secret.",
        whose=ADMINISTRATORS,
        todo=(
            CONSOLE,
            "A data centre may have a secret of its own: set ZOHO_CLIENT_SECRET_ with its location.",
            "The client has to be enabled for the data centre of whoever signs in.",
        ),
        told=True,
        again=True,
    ),
    "zoho_busy": Row(
        status=503,
        title="Zoho asks for patience",
        what="Too much was asked of Zoho at a time.",
        whose=NOBODYS,
        todo=("Wait a little, then try again.",),
        again=True,
    ),
    "credits_kept": Row(
        status=503,
        title="The last credits of the day are kept for calls",
        what="What is left of Zoho Desk's credits today is kept for calls that ring and for their records.",
        whose=ADMINISTRATORS,
        todo=("Try again when Desk gives new credits, or have more with another edition of Desk.",),
        told=True,
    ),
    "tokens_throttled": Row(
        status=503,
        title="Zoho asks for ten minutes' patience",
        what="Zoho gives no more tokens for the moment.",
        whose=NOBODYS,
        todo=("Wait ten minutes: trying sooner makes it longer.",),
        again=True,
    ),
    "zoho_down": Row(
        status=502,
        title="Zoho does not answer",
        what="Zoho was not reached, or did not answer as itself.",
        whose=ZOHOS,
        todo=(
            "Try again in a few minutes.",
            "If it stays so, ask an administrator: the connector's log names the host and what to check.",
        ),
        again=True,
    ),
    "outcome_unknown": Row(
        status=502,
        title="No answer from Zoho",
        what="The request left and no answer came: Zoho may have done it or not.",
        whose=YOURS,
        todo=("Look in Zoho Desk before you do it again.",),
    ),
    "grant_lost": Row(
        status=503,
        title="The portal has to be linked again",
        what="Zoho no longer takes the connector's grant.",
        whose=ADMINISTRATORS,
        todo=("Link the portal again; what waits for Zoho Desk is delivered then.",),
        again=True,
    ),
}
"""By reason."""
