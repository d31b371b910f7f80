"""Databases that former releases left behind, and what has to come of them."""
