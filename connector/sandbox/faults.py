"""Which fault strikes a request: by rule (the next n times, or always) or by rate, chosen at random."""

import random
from collections import Counter
from typing import Any, Literal

import msgspec

FaultKind = Literal[
    "odd_member",  # `member` of a good answer, and of each record of a list, is `value`
    "token_error",  # Accounts answers `{"error": error}` ("server_error") under 200 (or `status`)
    "latency",  # wait `seconds` more, then go on
    "server_error",  # 500 (or `status`) before anything is applied
    "html",  # an HTML page with 503 (or `status`) before anything is applied
    "unauthorized",  # 401 INVALID_OAUTH
    "too_many_requests",  # 429, no Retry-After
    "threshold",  # 429 with Retry-After `seconds` (3600)
    "reset",  # the connection is reset before anything is applied
    "drop",  # applied in full, then the connection is closed without an answer
    "late",  # the connection is closed now, the request is applied `seconds` (10) later
    "refusal",  # nothing is applied: Desk's `code` (INVALID_DATA) with `status` (422), naming `fields`
]


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault: it strikes requests of `method` (any if None) whose path starts with `path_prefix`.

    `times` counts down to nothing (None: always); `probability` is how likely it strikes.
    With `containing` only requests are struck that have this text in their query or body.
    `code` and `fields` (JSON pointer to error type) are what a refusal contains.
    """

    kind: FaultKind
    method: str | None = None
    path_prefix: str = "/api/"
    times: int | None = None
    probability: float = 1.0
    seconds: float | None = None
    status: int | None = None
    error: str | None = None
    member: str = ""
    value: Any = None
    containing: str | None = None
    code: str = "INVALID_DATA"
    fields: dict[str, str] = {}

    def matches(self, method: str, path: str, text: str = "") -> bool:
        """Tell whether this rule concerns a request and has not been used up."""
        is_there = self.containing is None or self.containing in text
        concerns = self.method in (None, method.upper()) and path.startswith(self.path_prefix)
        return self.times != 0 and concerns and is_there


class Faults:
    """Holds the rules in force, and chooses among them at random, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a choice that repeats, not secrecy
        self.rules: list[Rule] = []
        self.struck: Counter[FaultKind] = Counter()

    def add(self, *rules: Rule) -> None:
        """Put further rules in force."""
        self.rules += rules

    def set_rates(self, rates: dict[FaultKind, float], path_prefix: str = "/api/") -> None:
        """Put a rule in force for each kind, which strikes that share of requests, 0 to 1."""
        self.add(*(Rule(kind=kind, probability=p, path_prefix=path_prefix) for kind, p in rates.items()))

    def seed(self, seed: int) -> None:
        """Seed the random generator anew."""
        self._random.seed(seed)

    def clear(self) -> None:
        """End all faults."""
        self.rules.clear()

    @property
    def reads_texts(self) -> bool:
        """Tell whether a rule in force concerns only requests with a certain text."""
        return any(rule.containing is not None for rule in self.rules)

    def strike(self, method: str, path: str, text: str = "") -> list[Rule]:
        """Return the rules that strike a request: any number of latencies, then at most one other fault."""
        struck: list[Rule] = []
        for rule in self.rules:
            if rule.matches(method, path, text) and self._random.random() < rule.probability:
                if rule.times is not None:
                    rule.times -= 1
                struck.append(rule)
                self.struck[rule.kind] += 1
                if rule.kind != "latency":
                    break
        return struck

    def jitter(self, mean: float, spread: float) -> float:
        """Draw evenly from mean ± spread, never below nought."""
        return max(0.0, self._random.uniform(mean - spread, mean + spread))
