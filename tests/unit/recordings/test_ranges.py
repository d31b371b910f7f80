"""Ranges: read as the standard says, and as the library reads them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.responses import FileResponse, MalformedRangeHeader
from starlette.responses import RangeNotSatisfiable as NotThere

from connector.errors import RangeNotSatisfiable
from connector.recordings.audio import Part, Range, read_part, read_range, read_total

NUMBER = st.integers(0, 2_000)
ONE = st.builds(Range, NUMBER, NUMBER | st.none()) | st.builds(Range, st.none(), NUMBER)


@given(ONE, st.integers(1, 1_000))
@example(Range(0, 0), 1)
@example(Range(None, 5), 3)
def test_as_the_library_reads_them(asked: Range, total: int) -> None:
    """What Starlette makes of a single range of a file, we make of it too."""
    mine = read_range(asked.header)
    try:
        ((start, end),) = FileResponse._parse_range_header(asked.header, total)
    except NotThere:
        with pytest.raises(RangeNotSatisfiable) as refused:
            asked.within(total)
        assert refused.value.total == total
    except MalformedRangeHeader:
        # The standard calls it invalid, and to be ignored; the library refuses it.
        assert mine is None or asked == Range(None, 0)
    else:
        assert mine == asked
        assert asked.within(total) == (start, end)


@given(ONE, st.integers(1, 1_000))
def test_a_part_is_part_of_it(asked: Range, total: int) -> None:
    """Whatever is asked, what is answered lies inside, is not empty, and answers what was asked."""
    try:
        start, end = asked.within(total)
    except RangeNotSatisfiable:
        return
    assert 0 <= start < end <= total
    part = Part(start, end, total)
    assert read_part(part.header) == part
    assert part.answers(asked)


@given(st.text(max_size=40))
@example("bytes=1-2,4-5")
@example("bytes=-")
@example("bytes=2-1")
@example("bytes=\u0661-\u0662")
@example("bytes=" + "9" * 30 + "-")
@example("Bytes= 1-2 ")
def test_anything_at_all(header: str) -> None:
    """No header is an accident: it is one range, or ignored."""
    found = read_range(header)
    assert found is None or read_range(found.header) == found
    part = read_part(header)
    assert part is None or part.start < part.end
    assert read_total(header) is None or header.startswith("bytes */")


@pytest.mark.parametrize("header", ["", "bytes 5-4/9", "bytes 0-9/9", "bytes 0-9", "items 0-1/2"])
def test_parts_that_cannot_be(header: str) -> None:
    """What contradicts itself says nothing."""
    assert read_part(header) is None


@pytest.mark.parametrize(
    ("asked", "part", "fits"),
    [
        (Range(5, 9), Part(5, 10, 20), True),
        (Range(5, 9), Part(5, 8, 20), True),
        (Range(5, 9), Part(5, 11, 20), False),
        (Range(5, 9), Part(4, 10, 20), False),
        (Range(5, None), Part(5, 20, None), True),
        (Range(None, 5), Part(15, 20, 20), True),
        (Range(None, 5), Part(14, 20, 20), False),
        (Range(None, 5), Part(15, 20, None), False),
        (Range(None, 50), Part(0, 20, 20), True),
    ],
)
def test_what_answers_what(asked: Range, part: Part, *, fits: bool) -> None:
    """A server that answers another part is found out."""
    assert part.answers(asked) is fits
