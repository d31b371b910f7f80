"""Phone systems: patterns of numbers, and who may post."""
