"""The room of limits."""
