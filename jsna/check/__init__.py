"""The check that comes first: what is wrong, or worth a look, in the data that a params file names.

Its report is for the analyst alone: it counts by school and by group without protection, and is never part of a pack.
"""
