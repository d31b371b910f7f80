"""What phone systems call people, as people type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.accounts.words import placed, read, read_all, refuse_taken, written
from connector.errors import InvalidValue
from connector.store.users import User, Word

WORDS = st.text("01a @|*-", min_size=1, max_size=12).map(str.strip).filter(bool)
SLUGS = st.text("ab1-", min_size=1, max_size=5)
ADA = User(id=1, email="ada@example.com", name="Ada", role="agent", active=True)


@given(st.none() | SLUGS, st.tuples(WORDS, st.sampled_from(["", " at night", " at *", " at noon at x"])))
def test_what_is_written_reads_back(slug: str | None, parts: tuple[str, str]) -> None:
    """Whatever the word looks like, the place behind it is no part of it."""
    text = "".join(parts)
    assert read(written(slug, text)) == (slug, text)


def test_several_are_read_in_order() -> None:
    """What is empty between separators is none."""
    assert read_all("1001\n\n ada.f \n1002 at paris", "\n") == [
        (None, "1001"),
        (None, "ada.f"),
        ("paris", "1002"),
    ]


@pytest.mark.parametrize("word", ["", " ", "a\nb", "a|b", "x" * 201, "a\x00"])
def test_what_cannot_be_kept_is_refused(word: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidValue, match="cannot be kept") as refused:
        placed([(None, word)], {}, "/queues")
    assert refused.value.pointer == "/queues"


def test_too_many_are_refused() -> None:
    """A hundred are enough for anybody."""
    with pytest.raises(InvalidValue, match="These are 101"):
        placed([(None, str(number)) for number in range(101)], {}, "/extensions")


@pytest.mark.parametrize("word", ["1001", "ADA@example.com"])
def test_a_taken_word_names_its_owner(word: str) -> None:
    """Be it by a row of theirs, or by their address."""
    wanted = [Word(0, word)]
    owners = {Word(0, "1001"): ADA}
    with pytest.raises(InvalidValue, match=r"belongs to Ada \(ada@example.com\) already"):
        refuse_taken("bruno@example.com", wanted, owners, {ADA.email: ADA})
    refuse_taken("Ada@example.com", wanted, owners, {ADA.email: ADA})
