"""Runs and studies: configuration, training, scoring, results."""
