"""A recording cannot be had from where the phone system keeps it."""

from connector.web.rows.row import ADMINISTRATORS, NOBODYS, YOURS, Row

PHONES = "It is the move of whoever looks after the phone system."
SET_UP = "`connector phones recordings` with the phone system's name shows and changes how they are fetched."

ROWS = {
    "recording": Row(
        status=502,
        title="The recording cannot be had",
        what="The phone system keeps the recording, and did not hand it over.",
        whose=PHONES,
        todo=("Try again in a few minutes.", "If it stays so, tell an administrator."),
        told=True,
    ),
    "recording_missing": Row(
        status=404,
        title="The recording is gone",
        what="It is not where the phone system said that it is: it has been deleted or moved there.",
        whose=PHONES,
        todo=("Ask whether it has been moved, or how long recordings are kept.",),
        told=True,
    ),
    "recording_not_yet": Row(
        status=404,
        title="The recording is not there yet",
        what="The call has just been, and the phone system has not finished its recording.",
        whose=NOBODYS,
        todo=("Load this page again in a minute or two.",),
        told=True,
    ),
    "recording_unknown": Row(
        status=404,
        title="Nothing is known of this call",
        what="The connector knows of no such call, or not any more.",
        whose=YOURS,
        todo=(
            "Check the address.",
            "An old call is forgotten here; ask an administrator whether its recording still exists.",
        ),
        told=True,
    ),
    "recording_refused": Row(
        status=502,
        title="The phone system does not let the connector in",
        what="Where the recording is kept, the connector's credentials are not taken.",
        whose=ADMINISTRATORS,
        todo=("Give the connector credentials that may read recordings.", SET_UP),
        told=True,
    ),
    "recording_not_allowed": Row(
        status=502,
        title="The connector may not fetch this recording",
        what="The recording lies, or leads, where nobody has allowed the connector to fetch from.",
        whose=ADMINISTRATORS,
        todo=("If recordings are rightly kept there, allow it.", SET_UP),
        told=True,
    ),
    "recording_unfit": Row(
        status=502,
        title="What lies there cannot be played",
        what="Where the recording should be, there is no audio that may be handed on.",
        whose=PHONES,
        todo=("See whether the recording is whole, in a format such as WAV, MP3 or Ogg.",),
        told=True,
    ),
    "recording_unreachable": Row(
        status=503,
        title="The phone system does not answer",
        what="The phone system keeps the recording, and cannot be reached at the moment.",
        whose=PHONES,
        todo=("Try again in a few minutes.", "If it stays so, see whether its recordings can be reached."),
        told=True,
    ),
}
"""By reason."""
