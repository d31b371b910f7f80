"""What requests bring into the log, and how it is written there."""

from connector.web.access_log import TEXT_AT_MOST, spelt_out


def test_strangers_begin_no_line_and_steer_no_terminal() -> None:
    """Line breaks of every kind, escapes and what turns letters round are spelt out."""
    assert spelt_out("a\nb\x1b[31m\x85\u2028\u202e") == r"a\nb\x1b[31m\x85\u2028\u202e"


def test_words_stay_as_they_are_and_long_ones_are_cut() -> None:
    """Letters of every language are read easily."""
    assert spelt_out("/hooks/zürich 東京") == "/hooks/zürich 東京"
    assert len(spelt_out("b" * 5_000)) == TEXT_AT_MOST
