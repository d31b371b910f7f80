"""Find what somebody means by a name among what a portal's Desk has: departments, agents, fields of calls."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

from connector.casing import ascii_lower
from connector.errors import ConnectorError, InvalidValue
from connector.zoho.client import Desk
from connector.zoho.models import Department, DeskAgent
from connector.zoho.operations import AGENTS_LIMIT

LISTED_AT_MOST = 8
PAGES_AT_MOST = 25
"""So many people and departments are read: 5,000."""

What = Literal["department", "agent", "field"]
Each = TypeVar("Each", Department, DeskAgent)

_CALLED: dict[What, str] = {
    "department": "department",
    "agent": "agent",
    "field": "custom field of calls",
}


class Known(NamedTuple):
    """Something of Desk's that settings name: its id, and what people call it."""

    id: str
    names: tuple[str, ...]


class Meant(NamedTuple):
    """What is meant: its id, and what is to be warned of about it, in a sentence; "" where nothing is."""

    id: str
    warning: str = ""


Ask = Callable[[], Awaitable[Sequence[Known]]]
"""Returns everything of a kind that a portal's Desk has, or raises any ConnectorError."""


async def known(desk: Desk, what: What) -> list[Known]:
    """Return everything of a kind that Desk has; raises any ZohoError."""
    if what == "department":
        found = await _all(desk.departments)
        return [Known(str(each.id), (each.name or "",)) for each in found]
    if what == "agent":
        people = await _all(desk.agents)
        return [Known(str(each.id), (each.email or "", each.name)) for each in people]
    custom = [each for each in await desk.call_fields() if each.is_custom is not False]
    return [Known(each.api_name, (each.label or "",)) for each in custom if each.api_name]


async def meant(ask: Ask, what: What, text: str, pointer: str = "") -> Meant:
    """Return what somebody means by an id, a name or an e-mail address.

    What looks like an id and is not there is kept, with a warning: it may be right tomorrow. Raises
    InvalidValue for a name that several have, or none, or where Desk cannot be asked.
    """
    called = _CALLED[what]
    is_id = text.isdecimal() or text.startswith("cf_")
    try:
        found = await ask()
    except ConnectorError as problem:
        if not is_id:
            raise InvalidValue(
                "Which {called} is called {typed!r} could not be asked: {problem}",
                pointer,
                called=called,
                typed=text,
                problem=problem,
            ) from problem
        return Meant(
            text, f"Whether Desk has the {called} {text} could not be asked: {problem} Kept as typed."
        )
    return _among(found, called, text, pointer, is_id=is_id)


def _among(found: Sequence[Known], called: str, text: str, pointer: str, *, is_id: bool) -> Meant:
    folded = ascii_lower(text)
    fitting = [each for each in found if text == each.id or folded in map(ascii_lower, each.names)]
    if len(fitting) == 1:
        return Meant(fitting[0].id)
    listed = _listed(f"{each.names[0] or each.id} ({each.id})" for each in fitting or found)
    if fitting:
        raise InvalidValue(
            "Several are called {typed!r}: {listed}. Name one by its id.", pointer, typed=text, listed=listed
        )
    if not is_id:
        raise InvalidValue(
            "Desk has no {called} {typed!r}; there is {listed}.",
            pointer,
            called=called,
            typed=text,
            listed=listed,
        )
    return Meant(text, f"Desk shows no {called} {text} to the connector; there is {listed}. Kept as typed.")


async def _all(page: Callable[[int], Awaitable[list[Each]]]) -> list[Each]:
    """Read a list to its end; its pages may overlap by one."""
    found: dict[str, Each] = {}
    for number in range(PAGES_AT_MOST):
        read = await page(number * AGENTS_LIMIT)
        found |= {str(each.id): each for each in read}
        if len(read) < AGENTS_LIMIT:
            break
    return list(found.values())


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    more = ["..."] if len(found) > LISTED_AT_MOST else []
    return ", ".join(sorted(found)[:LISTED_AT_MOST] + more) or "none"
