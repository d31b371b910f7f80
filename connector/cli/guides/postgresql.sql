-- PostgreSQL for the connector; run it once, as the database's superuser: sudo -u postgres psql --file=this.sql
[% if not is_postgresql %]
--
-- DATABASE_URL names no PostgreSQL now: [[ database_url ]]. These are the names of an example; where you choose
-- others, set DATABASE_URL first, and print this again.
[% endif %]

CREATE ROLE [[ role ]] LOGIN;
CREATE DATABASE [[ database ]] OWNER [[ role ]] ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE [[ database ]] FROM PUBLIC;

-- Then give the role a password, by hand, so that it stands in no file:
--
--   sudo -u postgres psql --command='\password [[ role ]]'
--
-- The connector, with the extra for PostgreSQL (pip install '.[postgresql]'), is told:
--
--   DATABASE_URL=[[ shown_url ]]
--
-- It makes its tables by itself when it starts. Each process opens up to [[ connections ]] connections: with
-- N processes, `max_connections` in postgresql.conf, or the pooler's, has to be more than N times [[ connections ]].
-- A pooler in transaction mode is fine, but for one connection of each process: DATABASE_LISTEN_URL.
--
-- Copies: pg_dump --format=custom --file=connector.dump '[[ dump_url ]]'
-- After pg_restore, before anything is started: connector restored
