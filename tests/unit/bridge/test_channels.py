"""Whose a channel is."""

import re

import pytest

from connector.bridge.channels import ChannelNames, Party, in_transit
from connector.cli.bridge import written_guide
from tests.unit.bridge.samples import SETTINGS

NAMES = ChannelNames(SETTINGS.agents, ["PJSIP/4930*", "SIP/carrier"], ["from-trunk"])


@pytest.mark.parametrize(
    ("name", "context", "party", "agent"),
    [("PJSIP/1001-0000001a", "from-internal", Party.AGENT, "1001"),
     ("SIP/204-00000001", "", Party.AGENT, "204"),
     ("IAX2/1001-412", "", Party.AGENT, "1001"),
     ("IAX2/1001-3", "", Party.AGENT, "1001"),
     ("SCCP/1001-0000001B", "", Party.AGENT, "1001"),
     ("PJSIP/1001", "", Party.AGENT, "1001"),
     ("AsyncGoto/PJSIP/1001-0000001a", "", Party.AGENT, "1001"),
     ("Surrogate/SIP/carrier-0000001a", "", Party.OUTSIDE, None),
     ("IAX2/carrier-412", "", Party.OUTSIDE, None),
     ("SIP/carrier-0000001B", "", Party.OUTSIDE, None),
     ("AudioSocket/127.0.0.1:9000-0000001a", "", Party.MACHINE, None),
     ("UnicastRTP/127.0.0.1:9000-0x7f00", "", Party.MACHINE, None),
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


@pytest.mark.parametrize(
    ("name", "context", "number", "agent"),
    [("DAHDI/7-1", "from-internal", "1007", "1007"),
     ("PJSIP/ada-0000001a", "from-internal", "1008", "1008"),
     ("PJSIP/1001-0000001a", "from-internal", "4711", "1001"),
     ("DAHDI/7-1", "from-internal", "<unknown>", None),
     ("DAHDI/7-1", "elsewhere", "1007", None),
     ("SIP/carrier-00000002", "from-internal", "1007", None)],
)  # fmt: skip
def test_telephones_whose_names_hold_no_extension(
    name: str, context: str, number: str, agent: str | None
) -> None:
    """In the context in which agents dial, the number of a channel that is no trunk's is the extension."""
    own = ChannelNames(SETTINGS.agents, ["SIP/carrier"], ["from-trunk"], "from-internal")
    assert own.read(name, context, number) == (Party.AGENT if agent else Party.OUTSIDE, agent)


@pytest.mark.parametrize(
    ("context", "is_trunk"),
    [("from-trunk", True), ("from-pstn", True), ("from-trunk-sip-talk", True), ("from-pstn-toheader", True),
     ("from-internal", False), ("", False), ("not-from-trunk", False)],
)  # fmt: skip
def test_contexts_in_which_calls_arrive(context: str, *, is_trunk: bool) -> None:
    """Distributions make one for each trunk; a number as a trunk's name is no agent there."""
    own = ChannelNames(SETTINGS.agents, (), SETTINGS.trunk_contexts)
    assert (own.read("SIP/2040-00000001", context)[0] is Party.OUTSIDE) == is_trunk


@pytest.mark.parametrize("name", ["PJSIP/991001-0000001a", "PJSIP/1001-0000001a", "SIP/1001-00000001"])
def test_telephones_in_browsers(name: str) -> None:
    """FreePBX's twin of an extension is the same agent, by the pattern that the guide names."""
    found = re.search(r"`BRIDGE_AGENTS=(\S+)`", written_guide())
    assert found is not None
    assert ChannelNames(found[1], (), ()).read(name) == (Party.AGENT, "1001")


def test_names_in_transit() -> None:
    """While two channels are exchanged they bear names of nobody."""
    assert in_transit("PJSIP/1001-0000001a<ZOMBIE>")
    assert not in_transit("PJSIP/1001-0000001a")
