"""Zoho, as far as the connector needs it: data centres, OAuth, and Desk in a pure wire and a thin client.

This room knows no phone, no web and no SQL.
What it needs of others it declares as Protocols: `tokens.TokenSource` and `budget.Budget`.
"""
