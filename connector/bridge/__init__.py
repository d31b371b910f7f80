"""Stand beside a PBX, hear its calls, and tell the connector over HTTP, signed."""
