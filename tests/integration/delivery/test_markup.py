"""Desk's editor keeps descriptions as HTML."""

import pytest

from connector.calls import Recording
from tests.integration.delivery.env import Environment

pytestmark = pytest.mark.anyio


async def test_a_description_that_comes_back_as_html(env: Environment) -> None:
    """A late recording is told there as well, and nobody is said to have edited anything."""
    env.state.config.description_as_html = True
    await env.want(env.record(queue="Sales & more"))
    await env.settle()
    await env.want(env.record(queue="Sales & more", recordings=(Recording(url="https://pbx.example/r/1"),)))
    await env.settle()
    assert (await env.row()).detail == ""
    assert "Recording: " in (env.call.description or "")
