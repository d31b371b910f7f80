"""Unit tests of the room `zoho`: no network."""
