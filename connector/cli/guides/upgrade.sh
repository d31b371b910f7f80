# Upgrading the connector at [[ url ]], step by step; run each as [[ user ]], with the same settings as
# the running connector, in [[ folder ]].

# 1. Read what is new: [[ url ]]/help/changes

# 2. Take a copy.
[% if is_postgresql %]
pg_dump --format=custom --file=before-upgrade.dump '[[ dump_url ]]'
[% else %]
[[ program ]] backup [[ folder ]]/before-upgrade.db
[% endif %]

# 3. Install the new release over the old one, from its folder.
[[ python ]] -m pip install '[[ package ]]'

# 4. Start it again; it brings the tables up to date before it answers, and phone systems wait the second or two.
[% if is_postgresql %]
#    Where several processes share the database, one after the other: old and new run beside each other.
#    Until the last one is new, make no keys with limits, sign-in connectors, authentication methods,
#    profiles or assign rules.
[% endif %]
systemctl restart connector

# 5. See that it is well: each line must begin with "ready", and the second name the new release.
curl --silent --show-error http://[[ listen ]]/readyz
[[ program ]] --version

# If it is not: stop it, install the former release, put the copy back, and start it.
# What was in Desk already is looked for before it is written again.
[% if is_postgresql %]
#   systemctl stop connector
#   pg_restore --clean --if-exists --dbname='[[ dump_url ]]' before-upgrade.dump
#   [[ program ]] restored
[% else %]
#   systemctl stop connector
#   [[ program ]] restore [[ folder ]]/before-upgrade.db
[% endif %]
#   systemctl start connector
