"""Signing in or linking came to nothing."""

from connector.web.rows.row import ADMINISTRATORS, DESKS, YOURS, ZOHOS, Row

BEGIN_AGAIN = "Begin again from the connector's own page, in one browser, and take less than ten minutes."
ASK_FOR_ADDING = "Ask for `connector agents add` with the e-mail address that Zoho has of you."

ROWS = {
    "sign_in": Row(
        status=400,
        title="Zoho did not let us go on",
        what="Zoho reports an error that the connector does not know.",
        whose=ZOHOS,
        todo=("Try again in a few minutes.", "If it stays so, tell an administrator."),
        again=True,
    ),
    "refused": Row(
        status=403,
        title="Zoho was told no",
        what="The consent was refused at Zoho, so nothing has changed here.",
        whose=YOURS,
        todo=(
            "If you meant to agree, begin again and choose Accept.",
            "Zoho answers the same after ten attempts in ten minutes: then wait a while.",
        ),
        again=True,
    ),
    "no_org": Row(
        status=403,
        title="You have no account in Zoho Desk",
        what="Zoho finds no account in Zoho Desk for you, so nothing has changed here.",
        whose=DESKS,
        todo=("Ask to be made an agent in Zoho Desk, or take a Zoho user who is one.",),
        told=True,
        again=True,
    ),
    "state_mismatch": Row(
        status=400,
        title="This attempt is over",
        what="The answer from Zoho belongs to no attempt that this browser has under way: "
        "it has been used, took more than ten minutes, or began in another browser.",
        whose=YOURS,
        todo=(BEGIN_AGAIN,),
        again=True,
    ),
    "untrusted_server": Row(
        status=400,
        title="That answer may not come from Zoho",
        what="It names a server that is not Zoho's for the data centre. Nothing was sent there.",
        whose=YOURS,
        todo=(
            "Do not use the link that brought you here.",
            BEGIN_AGAIN,
            "If it happens again, tell an administrator.",
        ),
        again=True,
    ),
    "unknown_data_center": Row(
        status=400,
        title="An unknown data centre",
        what="Zoho's answer names a data centre that is in no table. Nothing was sent there.",
        whose=ADMINISTRATORS,
        todo=("If Zoho has a new data centre, add it with ZOHO_DATA_CENTERS.",),
        again=True,
    ),
    "no_desk_there": Row(
        status=400,
        title="No address of Zoho Desk is known there",
        what="For your data centre the connector knows no address of Zoho Desk.",
        whose=ADMINISTRATORS,
        todo=(
            "If you use Zoho Desk there, set ZOHO_DATA_CENTERS to location=accounts address|Desk address.",
            "The address of Desk stands in your browser; start the connector again afterwards.",
            "Else take a Zoho user of a data centre where you use Zoho Desk.",
        ),
        told=True,
        again=True,
    ),
    "no_portal_answers": Row(
        status=502,
        title="No portal in Zoho Desk answers",
        what="Zoho gave its consent, and Zoho Desk then let the connector into none of your portals.",
        whose=ADMINISTRATORS,
        todo=(
            "Link again, and choose the portal that you mean at Zoho's consent page.",
            "Where a permission or a scope is named, let an administrator of Zoho Desk give it to you first.",
        ),
        told=True,
        again=True,
    ),
    "code_refused": Row(
        status=400,
        title="Zoho's code was too old",
        what="Zoho does not take its code back: it has been used or is older than two minutes.",
        whose=YOURS,
        todo=("Begin again.",),
        again=True,
    ),
    "no_refresh_token": Row(
        status=502,
        title="Zoho gave access for an hour only",
        what="Without a refresh token the connector would be cut off in an hour, so nothing was kept.",
        whose=YOURS,
        todo=(
            "In your Zoho account, under Connected Apps, remove the connector.",
            "Then link again.",
        ),
        again=True,
    ),
    "bad_identity": Row(
        status=400,
        title="Zoho's word for you does not hold",
        what="The id token from Zoho is missing, expired, or not made for the connector.",
        whose=ADMINISTRATORS,
        todo=(
            "Try again.",
            "If it is about a time (exp, iat), check that the connector's clock is right.",
            "Else tell whoever maintains the connector what stands here: Zoho writes something new.",
        ),
        told=True,
        again=True,
    ),
    "email_unverified": Row(
        status=403,
        title="Your e-mail address is not verified",
        what="Zoho does not vouch for your e-mail address.",
        whose=YOURS,
        todo=("Verify the address in your Zoho account, then sign in again.",),
        told=True,
        again=True,
    ),
    "unknown_person": Row(
        status=403,
        title="The connector does not know you yet",
        what="Zoho knows you, but nobody has added you here.",
        whose=ADMINISTRATORS,
        todo=(ASK_FOR_ADDING, "Then sign in again."),
        told=True,
        again=True,
    ),
    "identity_taken": Row(
        status=403,
        title="This address belongs to another Zoho user",
        what="The user with your e-mail address has signed in before as another Zoho user.",
        whose=ADMINISTRATORS,
        todo=("If both are you, ask for `connector agents release` with the address.",),
        told=True,
    ),
    "deactivated": Row(
        status=403,
        title="Your user is deactivated",
        what="An administrator has deactivated you here.",
        whose=ADMINISTRATORS,
        todo=("If you should have access, ask for `connector agents reactivate`.",),
        told=True,
    ),
}
"""By reason."""
