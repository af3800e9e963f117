"""A trained method in one file, and what it says of new dives: the score, an interval, and what cost points."""
