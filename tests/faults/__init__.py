"""Break everything at once and count what is left: python -m tests.faults."""
