"""Orders against a real database."""
