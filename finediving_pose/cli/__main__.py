"""``python -m finediving_pose.cli``."""

from finediving_pose.cli import main

main()
