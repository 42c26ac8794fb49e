"""What was planted in a simulated world, found again: each estimate with its interval beside the truth.

- `estimates`: one function a quantity, from the answer to a named query
- `comparison`: estimates and truths side by side, and the sentence about them
"""

from questlog.report.recovery.comparison import QUERIES, KnownDays, compare, summary

__all__ = ["QUERIES", "KnownDays", "compare", "summary"]
