"""What a scorer knows of diving before it sees a score: pre-training on dives that were performed and never filmed."""
