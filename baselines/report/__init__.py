"""One HTML page about a run or a study: figures, tables, and the dives that went wrong, in pictures."""

from baselines.report.page import write_page

__all__ = ["write_page"]
