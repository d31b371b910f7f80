"""Tests of connector.portals without I/O."""
