"""Let people hear what was recorded: links for Desk, who may listen, and audio from where it is kept."""

from connector.recordings.access import Recordings, link, piece_of

__all__ = ["Recordings", "link", "piece_of"]
