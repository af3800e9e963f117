"""``fdpose review``: the page on which a person corrects poses, and the journal that keeps what the person did.

``entry`` and ``operations`` are the nouns, ``journal`` the file, ``history`` what it adds up to, ``layer`` the pose
layer and the reviews that are made of it, ``session`` one person at work, ``server`` what the page talks to.
"""
