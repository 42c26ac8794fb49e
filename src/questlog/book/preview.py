"""The picture that other sites show of a link to this one: the flow of the data, on a card of the usual size."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

from questlog.report import diagram, style

FILE = "preview.png"
SIZE = (1200, 630)  # pixels: what makers of previews cut to
MARGIN = 30


def save(path: Path) -> None:
    """Draw it to `path`; the same bytes every time."""
    flow = Image.open(io.BytesIO(diagram.flow().png())).convert("RGB")
    inner = ImageOps.contain(flow, (SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN))
    card = ImageOps.pad(inner, SIZE, color=style.PAPER)
    path.parent.mkdir(parents=True, exist_ok=True)
    card.save(path, optimize=True)
