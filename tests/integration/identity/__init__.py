"""Identity: signing in, linking, sessions, keys, with a real database and the sandbox."""
