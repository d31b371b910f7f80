"""A sandbox for the simulation, which starts a world of its own for each run."""

from collections.abc import Iterator

import pytest

from connector.sandbox.serve import RunningSandbox
from tests.integration.zoho.person import CALLBACK


@pytest.fixture(scope="package")
def running() -> Iterator[RunningSandbox]:
    """Start a sandbox."""
    with RunningSandbox(redirect_uris=[CALLBACK]) as sandbox:
        yield sandbox
