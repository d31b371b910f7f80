"""Show the whole road without any account: the sandbox, the connector, a phone, and agents at their banners.

Sandbox and connector are the programs that one would run oneself, in processes of their own.
"""
