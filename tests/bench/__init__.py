"""Measure the connector against yardsticks of the same run: `python -m tests.bench --help`.

Numbers of a shared machine mean little by themselves; what counts is the ratio to a yardstick
that was measured seconds before or after under the same conditions.
"""
