"""Desk of the sandbox, on a real socket."""
