"""What becomes of numbers that were kept under their old spellings."""

from alembic import command
from sqlalchemy import Connection, Engine, text

from connector.store import Store, contacts, migrating, outbox, phones
from connector.store.engine import open_engine, writing
from tests.integration.databases import Databases
from tests.integration.recordings.test_migration import _begin_anew

BEFORE = "0007"

MOBILE, KEY = "+5491155554321", "+541155554321"
OLD_MOBILE, NEW_MOBILE = "+551187654321", "+5511987654321"
ROMAN, ROMAN_KEY = "+39612345678", "+390612345678"
FRENCH = "+33612345678"

PORTAL = (
    "INSERT INTO portals (id, location, org_id, name, client_id, state, linked_by, linked_at) "
    "VALUES ({id}, 'us', '{id}', 'Zylker', 'c', 'linked', 'test', 1)"
)
PHONE = (
    "INSERT INTO phone_systems (id, uid, slug, name, portal_id, dialect, country, created_at) "
    "VALUES (1, 'u', 'ba', 'BA', 1, 'neutral', 'AR', 1)"
)


def test_existing_rows(databases: Databases) -> None:
    """What is made is found under the key; what waits stays there, unless the key's row does its work."""
    with databases.fresh() as url:
        engine = open_engine(url)
        _as_before(engine)
        migrating.migrate(engine)
        engine.dispose()
        store = Store(url)
        assert _keys(store) == {
            # made, or given up: under the key of the subscriber
            (1, KEY, "done"), (2, NEW_MOBILE, "dead"), (1, FRENCH, "done"),
            # waits, where the code of before may be at it
            (2, MOBILE, "due"),
            # nothing of Rome's second row had ever left; what may have left stays to be settled
            (1, ROMAN_KEY, "done"), (2, ROMAN_KEY, "done"), (2, ROMAN, "unknown"),
        }  # fmt: skip
        dead = store.read_now(lambda c: outbox.find(c, 2, "call", "k"))
        assert dead is not None
        assert dead.step == f"contact {NEW_MOBILE}"
        known = store.read_now(lambda c: contacts.answer(c, 1, KEY))
        assert known is not None
        assert known.contacts == b'[{"id":"7"}]'
        assert store.read_now(lambda c: contacts.answer(c, 1, NEW_MOBILE)) is None
        (phone,) = store.read_now(lambda c: phones.list_all(c, 1))
        assert (phone.prefixes, phone.without_plus) == ((), False)
        store.close()


def _as_before(engine: Engine) -> None:
    _begin_anew(engine)
    with writing(engine).begin() as connection:
        command.upgrade(migrating._config(connection), BEFORE)
        for portal_id in (1, 2):
            connection.execute(text(PORTAL.format(id=portal_id)))
        connection.execute(text(PHONE))
        for row in (
            (1, MOBILE, "done", "", None, "7"), (1, FRENCH, "done", "", None, "8"),
            (2, OLD_MOBILE, "dead", "", None, None), (2, MOBILE, "due", "", None, None),
            (1, ROMAN_KEY, "done", "", None, "9"), (1, ROMAN, "due", "", None, None),
            (2, ROMAN_KEY, "done", "", None, "9"), (2, ROMAN, "unknown", "", 5, None),
        ):  # fmt: skip
            _want(connection, "contact", *row)
        _want(connection, "call", 2, "k", "dead", f"contact {OLD_MOBILE}", None, None)
        for number, contacts in ((MOBILE, '[{"id":"7"}]'), (OLD_MOBILE, "[]")):
            values = {"number": number, "contacts": contacts.encode()}
            connection.execute(text("INSERT INTO directory VALUES (1, :number, :contacts, 1)"), values)


def _want(
    connection: Connection,
    kind: str,
    portal_id: int,
    key: str,
    state: str,
    step: str,
    sent_at: int | None,
    desk_id: str | None,
) -> None:
    columns = "portal_id, kind, key, wanted, state, step, sent_at, desk_id, due_at, created_at, changed_at"
    given = ":portal, :kind, :key, :wanted, :state, :step, :sent, :desk, 1, 1, 1"
    values = {"portal": portal_id, "kind": kind, "key": key, "wanted": b"{}", "state": state, "step": step}
    asked = text(f"INSERT INTO outbox ({columns}) VALUES ({given})")  # noqa: S608 - both are written above
    connection.execute(asked, values | {"sent": sent_at, "desk": desk_id})


def _keys(store: Store) -> set[tuple[int, str, str]]:
    asked = text("SELECT portal_id, key, state FROM outbox WHERE kind = 'contact'")
    return store.read_now(lambda c: {tuple(row) for row in c.execute(asked)})
