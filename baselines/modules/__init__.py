"""Parts between the encoders and the score: stages, fusion, comparison."""
