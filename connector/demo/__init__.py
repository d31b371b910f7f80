"""Show the whole pipeline without an account: the sandbox, the connector, a phone, and agents at banners.

Sandbox and connector are the programs that one would run oneself, in processes of their own.
"""
