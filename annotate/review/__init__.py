"""``fdpose review``: the page on which a person corrects poses.

``session`` is one person at work on a journal (:mod:`finediving_pose.journals`), ``server`` what the page talks to.
"""
