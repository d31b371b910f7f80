"""Whatever comes, goes, fails and dies: an episode is told once, and once that it is over."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from connector.clock import HOUR, MINUTE
from connector.store import Store, alerts
from connector.store.alerts import Alert, Key
from connector.store.tables import alerts as table
from tests.integration.databases import Databases

KEYS: tuple[Key, ...] = (("grant_lost", "1"), ("phone_system_silent", "paris"))
LASTS = 10 * MINUTE
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sent", "sent late", "failed", "died", "only looked"]),
        st.integers(0, 7),
        st.sets(st.sampled_from(KEYS)),
    ),
    max_size=25,
)


class Run:
    """What processes do on one database, and what their mails have told."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = HOUR
        self.told: dict[Key, list[bool]] = {key: [] for key in KEYS}

    def step(self, outcome: str, minutes: int, standing: set[Key]) -> None:
        """Let time pass, and a process look and try to tell."""
        self.now += minutes * MINUTE
        named = {key: key[1].title() for key in standing}
        alerts.see(self.connection, named, self.now)
        if outcome == "only looked":
            return
        sender = f"at {self.now}"
        taken = alerts.take(self.connection, sender, self.now, self.now + LASTS)
        if outcome == "sent late":
            # Everything turns while the mail is under way.
            turned = {key: "turned" for key in KEYS if key not in standing}
            alerts.see(self.connection, turned, self.now)
        if outcome.startswith("sent"):
            self._tell(sender, taken)
        elif outcome == "failed":
            alerts.put_back(self.connection, sender, self.now + 3 * MINUTE)

    def _tell(self, sender: str, taken: list[Alert]) -> None:
        for each in taken:
            self.told[each.kind, each.thing].append(each.over_at is None)
        alerts.tell(self.connection, sender, taken, self.now)


def test_an_episode_is_told_once(sqlite_databases: Databases) -> None:
    """Mails on a thing alternate: begun, over, begun; in the end they have told what is so."""
    with sqlite_databases.fresh() as url:
        store = Store(url)
        store.write_now(_alternate)
        store.close()


def _alternate(connection: Connection) -> None:
    @settings(max_examples=20)
    @given(STEPS, st.sets(st.sampled_from(KEYS)))
    def alternate(steps: list[tuple[str, int, set[Key]]], end: set[Key]) -> None:
        connection.execute(table.delete())
        run = Run(connection)
        for step in steps:
            run.step(*step)
        for _ in range(6):
            run.step("sent", 8, end)
        for key, told in run.told.items():
            assert all(one is not other for one, other in pairwise(told))
            assert (told[-1:] or [False]) == [key in end]
            assert (told[:1] or [True]) == [True]

    alternate()
