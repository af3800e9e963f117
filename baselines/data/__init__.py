"""From the packed file to batches: dives, pairs, splits, exemplars."""
