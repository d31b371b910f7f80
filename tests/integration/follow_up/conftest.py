"""The whole connector on a real socket, as for the pipeline."""

from tests.integration.pipeline.conftest import database_url, place, sandbox

__all__ = ["database_url", "place", "sandbox"]
