"""Upstream label files in, one clips table out."""
