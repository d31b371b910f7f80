"""A Zoho that lives in the repository: Accounts and Desk in one ASGI program, on the loopback only.

It imports nothing from the rest of the connector, so a mistake made once cannot agree with itself.
`connector.sandbox.serve` makes the program (`create_sandbox`) and runs it.
"""
