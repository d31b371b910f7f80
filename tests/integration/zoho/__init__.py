"""Integration tests of the room `zoho`, against the sandbox."""
