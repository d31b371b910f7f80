"""Whether Desk takes changes that name nothing but what changes: learnt from its answers, and unlearnt."""

import msgspec
import pytest

from connector.calls import CallRecord, Recording
from connector.store import portals
from tests.integration.delivery.stage import CALLS, STRANGER, Stage

pytestmark = pytest.mark.anyio

FIRST = Recording(url="https://pbx.example/r/1")
SECOND = Recording(url="https://pbx.example/r/2")


async def written(stage: Stage, calls: int = 1, *, takes_part: bool) -> list[CallRecord]:
    """Have calls written into a Desk that takes partial changes or not, and count from nought."""
    stage.world.config.patch_requires_all = not takes_part
    await stage.configure(recording_links="original")
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    records = [stage.record(f"c-{number}") for number in range(calls)]
    await stage.want(*records)
    await stage.drain()
    stage.world.requests.reset()
    return records


async def recorded(stage: Stage, *records: CallRecord, recordings: tuple[Recording, ...] = (FIRST,)) -> None:
    """Let recordings come late."""
    await stage.want(*(msgspec.structs.replace(record, recordings=recordings) for record in records))
    await stage.drain()


def requests(stage: Stage) -> dict[str, int]:
    """Answer how often call records were read and changed, and how often a change was refused."""
    asked = stage.world.requests
    path = f"{CALLS}/{{id}}"
    counted = {
        "read": asked.count(method="GET", path=path),
        "changed": asked.count(method="PATCH", path=path, status=200),
        "refused": asked.count(method="PATCH", path=path, status=422),
    }
    asked.reset()
    return counted


async def learnt(stage: Stage) -> bool | None:
    """Answer what is known of the portal."""
    found = await stage.store.read(lambda c: portals.get(c, 1))
    assert found is not None
    return found.partial_patches


async def test_a_recording_costs_one_request(stage: Stage) -> None:
    """The first change reads the record; from then on a late recording is added without reading."""
    first, *others = await written(stage, 4, takes_part=True)
    await recorded(stage, first)
    assert requests(stage) == {"read": 1, "changed": 1, "refused": 0}
    assert await learnt(stage) is True
    await recorded(stage, *others)
    assert requests(stage) == {"read": 0, "changed": 3, "refused": 0}
    assert {call.recording_url for call in stage.calls} == {FIRST.url}
    assert {(await stage.row(record)).state for record in others} == {"done"}


@pytest.mark.parametrize(("takes_part", "read", "refused"), [(True, 1, 0), (False, 4, 1)])
async def test_one_change_finds_out_for_all(stage: Stage, takes_part: bool, read: int, refused: int) -> None:  # noqa: FBT001
    """Of many that come at one time the first one learns, be it yes or no."""
    records = await written(stage, 4, takes_part=takes_part)
    await recorded(stage, *records)
    assert requests(stage) == {"read": read, "changed": 4, "refused": refused}
    assert await learnt(stage) is takes_part


async def test_nothing_of_others_is_touched(stage: Stage) -> None:
    """What an agent has written stays where a recording is added unread, and where it is written later."""
    first, second = await written(stage, 2, takes_part=True)
    await recorded(stage, first)
    row = await stage.row(second)
    call = next(each for each in stage.calls if each.id == row.desk_id)
    edited = stage.edit(call, subject="About the invoice", description=f"Call back.\n{call.description}")
    await recorded(stage, second)
    added = next(each for each in stage.calls if each.id == row.desk_id)
    assert (added.subject, added.description) == (edited.subject, edited.description)
    assert added.recording_url == FIRST.url
    await recorded(stage, second, recordings=(FIRST, SECOND))
    told = next(each for each in stage.calls if each.id == row.desk_id)
    assert told.subject == "About the invoice"
    assert (told.description or "").startswith("Call back.")
    assert SECOND.url in (told.description or "")


async def test_a_desk_that_changes_its_mind(stage: Stage) -> None:
    """Refused for what it does not name, a change is sent whole, and the next ones too."""
    first, second, third = await written(stage, 3, takes_part=True)
    await recorded(stage, first)
    stage.world.config.patch_requires_all = True
    requests(stage)
    await recorded(stage, second)
    assert requests(stage) == {"read": 1, "changed": 1, "refused": 1}
    assert await learnt(stage) is False
    await recorded(stage, third)
    assert requests(stage) == {"read": 1, "changed": 1, "refused": 0}
    assert {call.recording_url for call in stage.calls} == {FIRST.url}


async def test_more_than_a_recording_is_compared(stage: Stage) -> None:
    """A change of anything that somebody may have edited is read first, and names nothing else."""
    first, second = await written(stage, 2, takes_part=True)
    await recorded(stage, first)
    requests(stage)
    await recorded(stage, msgspec.structs.replace(second, duration_seconds=77))
    assert requests(stage) == {"read": 1, "changed": 1, "refused": 0}
    row = await stage.row(second)
    changed = next(each for each in stage.calls if each.id == row.desk_id)
    assert (changed.duration, changed.recording_url) == ("77", FIRST.url)
    assert FIRST.url in (changed.description or "")


async def test_deleted_before_the_recording(stage: Stage) -> None:
    """A record that somebody has deleted is not made again."""
    first, second = await written(stage, 2, takes_part=True)
    await recorded(stage, first)
    desk_id = (await stage.row(second)).desk_id
    stage.edit(next(each for each in stage.calls if each.id == desk_id), is_trashed=True)
    await recorded(stage, second)
    row = await stage.row(second)
    assert (row.state, row.reason) == ("done", "record_not_found")
