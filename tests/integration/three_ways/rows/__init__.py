"""The table: a module a noun, each with its ROWS."""
