"""Kernels that start warm: forked from a process in which the workbench's libraries are imported already.

``server`` imports and forks; ``launcher`` is what Jupyter starts in the place of a kernel; ``warm`` starts the server,
tests it, and tells Jupyter where the launcher is. Nothing here knows what a notebook does.
"""
