"""Unit tests of what phone systems may be told to do."""
