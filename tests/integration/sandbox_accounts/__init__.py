"""Zoho Accounts as the sandbox plays it, over a real socket."""
