"""Tests of connector.web without I/O."""
