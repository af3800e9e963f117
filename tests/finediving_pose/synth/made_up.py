"""What the tiny competition is made of."""

TINY = ("5253b", "205b")
"""Dive numbers from 10 m and from 3 m."""
