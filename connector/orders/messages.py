"""Say in plain words what came of an order: what happened, and who has to do what now."""

from collections.abc import Callable, Mapping

from connector.store.orders import Order

_ASK = "Ask an administrator of the connector, and use your telephone itself meanwhile."
_LOST = "Nobody knows what came of it: the phone system fetched the order and has not been heard since."

REFUSED: Mapping[str, str] = {
    "not_answered": (
        "The telephone {agent} was not picked up, so {number} has not been called. "
        "To call, click again and pick it up when it rings."
    ),
    "rejected": (
        "The call was refused at the telephone {agent}, so {number} has not been called. "
        "To call, click again and pick it up when it rings."
    ),
    "busy": (
        "The telephone {agent} is busy, so {number} has not been called. Hang up there, then click again."
    ),
    "unreachable": (
        "The phone system does not reach the telephone {agent}, so {number} has not been called. "
        "See that it is switched on and signed in; if it is, ask an administrator."
    ),
    "over": "There was nothing left to do: the call is over, or has gone to somebody else.",
    "late": "The order came too late to the phone system, so nothing has been done. Try again in a moment.",
    "not_permitted": f"The phone system does not let the connector do that: nothing has been done. {_ASK}",
    "phone_system_away": (
        f"The program beside the phone system does not reach it: nothing has been done. {_ASK}"
    ),
    "failed": f"The phone system refused: nothing has been done. {_ASK}",
}
"""By reason; one that is not here is told as `failed`."""

_ALL = ""

_STATES: Mapping[str, Mapping[str, str]] = {
    "waiting": {_ALL: "Asking the phone system…"},
    "taken": {
        "dial": "The telephone {agent} rings: pick it up, then {number} is called.",
        "hang_up": "Hanging up…",
        "transfer": "Handing over to {number}…",
    },
    "done": {
        "dial": "The telephone {agent} has been picked up: {number} is being called.",
        "hang_up": "Hung up.",
        "transfer": "Handed over to {number}.",
    },
    "expired": {
        _ALL: (
            "The phone system did not fetch the order in time, and nothing will be done any more. Use your "
            "telephone itself. If it stays so, tell an administrator: the program beside the phone system "
            "does not run, or does not reach the connector."
        )
    },
    "unknown": {
        "dial": f"{_LOST} Look at your telephone, and click again only if it does not ring.",
        _ALL: f"{_LOST} Look at your telephone, and try again if the call is still there.",
    },
}


def message(order: Order, shown: Callable[[str], str] = str) -> str:
    """Say how an order stands; `shown` writes its number for people."""
    if order.state == "refused":
        sentence = REFUSED.get(order.reason, REFUSED["failed"])
    else:
        by_kind = _STATES[order.state]
        sentence = by_kind.get(order.kind) or by_kind[_ALL]
    return sentence.format(agent=order.agent, number=shown(order.number))
