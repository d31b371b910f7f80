"""Whose a channel is."""

import pytest

from connector.bridge.channels import Names, Party, in_transit
from tests.unit.bridge.samples import SETTINGS

NAMES = Names(SETTINGS.agents, ["PJSIP/4930*", "SIP/carrier"], ["from-trunk"])


@pytest.mark.parametrize(
    ("name", "context", "party", "agent"),
    [("PJSIP/1001-0000001a", "from-internal", Party.AGENT, "1001"),
     ("SIP/204-00000001", "", Party.AGENT, "204"),
     ("PJSIP/1001-0000001a", "from-trunk", Party.OUTSIDE, None),
     ("PJSIP/493012-0000001a", "", Party.OUTSIDE, None),
     ("SIP/carrier-00000002", "", Party.OUTSIDE, None),
     ("DAHDI/i1/0301234-2", "", Party.OUTSIDE, None),
     ("Local/1001@from-internal-00000001;2", "", Party.LOCAL, None),
     ("Recorder/ARI-00000001;1", "", Party.MACHINE, None)],
)  # fmt: skip
def test_whose_a_channel_is(name: str, context: str, party: Party, agent: str | None) -> None:
    """By its name; a trunk also by the context its calls arrive in."""
    assert NAMES.read(name, context) == (party, agent)


def test_names_in_transit() -> None:
    """While two channels are exchanged they bear names of nobody."""
    assert in_transit("PJSIP/1001-0000001a<ZOMBIE>")
    assert not in_transit("PJSIP/1001-0000001a")
