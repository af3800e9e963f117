"""What people did in ``fdpose review``, operation by operation, and the pose layers that are made of it.

``entry`` and ``operations`` are the nouns, ``journal`` the file, ``history`` what it adds up to, ``layer`` the layer
``manual/<annotator>`` and the reviews, ``catch_up`` what every reader of such layers calls first.
"""
