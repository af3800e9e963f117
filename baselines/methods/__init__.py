"""The methods: one module or package each, found by :mod:`baselines.registry`."""
