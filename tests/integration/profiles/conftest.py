"""The whole connector on a real socket, as for the pipeline, and people who listen to recordings."""

from tests.integration.pipeline.conftest import database_url, neighbour, place, sandbox
from tests.integration.recordings.conftest import listeners, upstream

__all__ = ["database_url", "listeners", "neighbour", "place", "sandbox", "upstream"]
