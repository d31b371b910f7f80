"""Desk of the sandbox: its rules, without a server."""
