"""Synthetic dives: a competition with known poses, known faults and known scores."""
