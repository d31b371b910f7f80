"""Which migration is the newest, told without Alembic."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from connector.store.migrating import MIGRATIONS, newest_migration


def test_the_newest_migration_is_alembics_head() -> None:
    """The names of the files say the same as the revisions inside them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert newest_migration() == ScriptDirectory.from_config(config).get_current_head()
