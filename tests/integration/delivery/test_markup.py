"""Desk's editor keeps descriptions as HTML."""

import pytest

from connector.calls import Recording
from tests.integration.delivery.stage import Stage

pytestmark = pytest.mark.anyio


async def test_a_description_that_comes_back_as_html(stage: Stage) -> None:
    """A late recording is told there as well, and nobody is said to have edited anything."""
    stage.world.config.description_as_html = True
    await stage.want(stage.record(queue="Sales & more"))
    await stage.settle()
    await stage.want(
        stage.record(queue="Sales & more", recordings=(Recording(url="https://pbx.example/r/1"),))
    )
    await stage.settle()
    assert (await stage.row()).detail == ""
    assert "Recording: " in (stage.call.description or "")
