"""Facts about the data sets, no data: read with ``importlib.resources.files("data_manifest")``."""
