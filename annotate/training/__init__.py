"""Training of estimators: what they learn from, how their pictures are augmented, and the loop."""
