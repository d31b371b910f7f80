"""The pages in a real Chromium, before the connector and the sandbox as programs of their own."""
