"""What the notebooks call: one module a theme, each function a question answered as an exhibit.

A function takes an area, or what another one returned, and gives an exhibit, so that a notebook holds no arithmetic.
"""
