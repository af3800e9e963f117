"""Videos or ready-made frame folders in, ``frames/`` and the clips table out."""
