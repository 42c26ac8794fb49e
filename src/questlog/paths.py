"""Where the parts of the checkout lie: the package is installed from it in editable mode."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "locks"
CONF = ROOT / "conf"
BOOK = ROOT / "book"
