"""Models that score dives, trained and compared on the packed file."""
