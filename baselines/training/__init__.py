"""The training loop: mmengine's Runner with our hooks."""
