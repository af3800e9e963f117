"""One mmengine config a run that a person would want to repeat."""
