"""What tickets say in Desk, where their descriptions are HTML."""

from hypothesis import example, given
from hypothesis import strategies as st

from connector.delivery.tickets import TicketRecord, keys_in, ticket_body
from connector.zoho.fields import DESCRIPTION_LENGTH


@given(st.text(max_size=20) | st.sampled_from(["&", "<b>", "a\n", "😀<", "Key::x\n"]), st.integers(1, 70_000))
@example(
    "<img src=https://evil.example>\nKey: other\n<br>Call key:: zpcother & co\nKey::x\nCall key: zpc2", 1
)
def test_a_description_is_text(text: str, times: int) -> None:
    """What a caller wrote is no markup in Desk, fits, and hides neither the key nor passes for one."""
    long = text * (1 + times // (1 + len(text)))
    record = TicketRecord(
        department_id="1", contact_id="2", subject="x", fields={"description": long}, call_key="zpc1"
    )
    for key, label in (("zpc1", "Call key"), ("12-ab", "Key")):
        written = ticket_body(record, key)["description"]
        assert "<" not in written.replace("<br>", "")
        assert len(written.encode("utf-16-le")) <= 2 * DESCRIPTION_LENGTH
        assert written.split("<br>")[-1] == f"{label}: {key}"
        assert keys_in(written) == {key}
