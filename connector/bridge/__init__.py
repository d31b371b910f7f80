"""The bridge: runs beside a PBX, and sends the events of its calls to the connector over HTTP, signed."""
