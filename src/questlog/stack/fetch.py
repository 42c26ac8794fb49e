"""Puts the engines' jars and Java 11 into the cache; run by scripts/setup."""

import sys

from questlog.errors import QuestlogError
from questlog.settings import Settings
from questlog.stack import artifacts, java


def main() -> int:
    """Fetch what is not in the cache yet; the exit code is 0, or 1 after a sentence that says what is wrong."""
    try:
        cache_dir = Settings.load().cache_dir
        artifacts.fetch(cache_dir)
        java.java11(cache_dir)
    except QuestlogError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    print(f"setup: engines are in {cache_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
