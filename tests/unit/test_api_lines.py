"""The log's lines: written behind, by one thread, and all of them as long as somebody reads."""

import subprocess
import sys

MANY = 9_000  # less than may wait
WRITE = f"""
from questlog.api.lines import Lines

lines = Lines()
for number in range({MANY}):
    lines.write(b'{{"line": %d, "padding": "%s"}}\\n' % (number, b"x" * 200))
"""


def test_a_burst_of_lines_is_written_whole_in_order_and_soon_after_it_came() -> None:
    # At a pause for each part of what a pipe takes at once it would be more than ten seconds.
    done = subprocess.run([sys.executable, "-c", WRITE], capture_output=True, text=True, timeout=8, check=True)

    numbers = [int(line.split(",")[0].rpartition(" ")[2]) for line in done.stdout.splitlines()]
    assert numbers == list(range(MANY))
