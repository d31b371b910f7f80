"""Whether Desk takes changes that name nothing but what changes: learnt from its answers, and unlearnt."""

import msgspec
import pytest

from connector.calls import CallRecord, Recording
from connector.store import portals
from tests.integration.delivery.env import CALLS, STRANGER, Environment

pytestmark = pytest.mark.anyio

FIRST = Recording(url="https://pbx.example/r/1")
SECOND = Recording(url="https://pbx.example/r/2")


async def written(env: Environment, calls: int = 1, *, takes_part: bool) -> list[CallRecord]:
    """Have calls written into a Desk that takes partial changes or not, and count from nought."""
    env.state.config.patch_requires_all = not takes_part
    await env.configure(recording_links="original")
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    records = [env.record(f"c-{number}") for number in range(calls)]
    await env.want(*records)
    await env.drain()
    env.state.requests.reset()
    return records


async def recorded(
    env: Environment, *records: CallRecord, recordings: tuple[Recording, ...] = (FIRST,)
) -> None:
    """Let recordings come late."""
    await env.want(*(msgspec.structs.replace(record, recordings=recordings) for record in records))
    await env.drain()


def requests(env: Environment) -> dict[str, int]:
    """Return how often call records were read and changed, and how often a change was refused."""
    asked = env.state.requests
    path = f"{CALLS}/{{id}}"
    counted = {
        "read": asked.count(method="GET", path=path),
        "changed": asked.count(method="PATCH", path=path, status=200),
        "refused": asked.count(method="PATCH", path=path, status=422),
    }
    asked.reset()
    return counted


async def learnt(env: Environment) -> bool | None:
    """Return what is known of the portal."""
    found = await env.store.read(lambda c: portals.get(c, 1))
    assert found is not None
    return found.partial_patches


async def test_a_recording_costs_one_request(env: Environment) -> None:
    """The first change reads the record; from then on a late recording is added without reading."""
    first, *others = await written(env, 4, takes_part=True)
    await recorded(env, first)
    assert requests(env) == {"read": 1, "changed": 1, "refused": 0}
    assert await learnt(env) is True
    await recorded(env, *others)
    assert requests(env) == {"read": 0, "changed": 3, "refused": 0}
    assert {call.recording_url for call in env.calls} == {FIRST.url}
    assert {(await env.row(record)).state for record in others} == {"done"}


@pytest.mark.parametrize(("takes_part", "read", "refused"), [(True, 1, 0), (False, 4, 1)])
async def test_one_change_finds_out_for_all(
    env: Environment,
    takes_part: bool,  # noqa: FBT001
    read: int,
    refused: int,
) -> None:
    """Of many that come at one time the first one learns, be it yes or no."""
    records = await written(env, 4, takes_part=takes_part)
    await recorded(env, *records)
    assert requests(env) == {"read": read, "changed": 4, "refused": refused}
    assert await learnt(env) is takes_part


async def test_nothing_of_others_is_touched(env: Environment) -> None:
    """What an agent has written stays where a recording is added unread, and where it is written later."""
    first, second = await written(env, 2, takes_part=True)
    await recorded(env, first)
    row = await env.row(second)
    call = next(each for each in env.calls if each.id == row.desk_id)
    edited = env.edit(call, subject="About the invoice", description=f"Call back.\n{call.description}")
    await recorded(env, second)
    added = next(each for each in env.calls if each.id == row.desk_id)
    assert (added.subject, added.description) == (edited.subject, edited.description)
    assert added.recording_url == FIRST.url
    await recorded(env, second, recordings=(FIRST, SECOND))
    told = next(each for each in env.calls if each.id == row.desk_id)
    assert told.subject == "About the invoice"
    assert (told.description or "").startswith("Call back.")
    assert SECOND.url in (told.description or "")


async def test_a_desk_that_changes_its_mind(env: Environment) -> None:
    """Refused for what it does not name, a change is sent whole, and the next ones too."""
    first, second, third = await written(env, 3, takes_part=True)
    await recorded(env, first)
    env.state.config.patch_requires_all = True
    requests(env)
    await recorded(env, second)
    assert requests(env) == {"read": 1, "changed": 1, "refused": 1}
    assert await learnt(env) is False
    await recorded(env, third)
    assert requests(env) == {"read": 1, "changed": 1, "refused": 0}
    assert {call.recording_url for call in env.calls} == {FIRST.url}


async def test_more_than_a_recording_is_compared(env: Environment) -> None:
    """A change of anything that somebody may have edited is read first, and names nothing else."""
    first, second = await written(env, 2, takes_part=True)
    await recorded(env, first)
    requests(env)
    await recorded(env, msgspec.structs.replace(second, duration_seconds=77))
    assert requests(env) == {"read": 1, "changed": 1, "refused": 0}
    row = await env.row(second)
    changed = next(each for each in env.calls if each.id == row.desk_id)
    assert (changed.duration, changed.recording_url) == ("77", FIRST.url)
    assert FIRST.url in (changed.description or "")


async def test_deleted_before_the_recording(env: Environment) -> None:
    """A record that somebody has deleted is not made again."""
    first, second = await written(env, 2, takes_part=True)
    await recorded(env, first)
    desk_id = (await env.row(second)).desk_id
    env.edit(next(each for each in env.calls if each.id == desk_id), is_trashed=True)
    await recorded(env, second)
    row = await env.row(second)
    assert (row.state, row.reason) == ("done", "record_not_found")
