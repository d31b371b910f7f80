"""Tests of the dialects: bytes in, events out."""
