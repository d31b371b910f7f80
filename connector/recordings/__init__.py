"""Let people hear what was recorded: links for Desk, who may listen, and audio from where it is kept."""

from connector.recordings.links import link, piece_of
from connector.recordings.listening import Recordings

__all__ = ["Recordings", "link", "piece_of"]
