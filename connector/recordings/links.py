"""Name recordings: the address that Desk is given, and the pieces on its page; pure."""

from base64 import b32encode
from hashlib import sha256

from connector.casing import ascii_lower

PATH = "/recordings/"


def link(public_url: str, key: str) -> str:
    """Return the address of the page with a call's recordings.

    It depends on the call's key alone, because Desk never tells which one it was given. The key is made of
    the phone system's random uid, so nobody guesses another; who may hear is asked all the same.
    """
    return f"{public_url.rstrip('/')}{PATH}{key}"


def piece_of(url: str) -> str:
    """Name one recording of a call: the same for the same address, whatever else is told of the call."""
    return ascii_lower(b32encode(sha256(url.encode()).digest()[:10]).decode())
