"""Profiles: kept, given and switched in a real database; what they hide is nowhere on the wire."""
