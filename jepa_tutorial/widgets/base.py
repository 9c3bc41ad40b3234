"""What all figures that a reader moves share: they are drawn in the page itself."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
MAX_BYTES = 1_000_000
MAX_FIRST = 40_000  # bytes of a first frame
HINT = "A still picture. To move it, run this cell or trust the notebook."


def assemble(*names: str) -> str:
    """Join modules of this folder into one, since a widget carries a single one."""
    parts = [(HERE / name).read_text(encoding="utf-8") for name in names]
    return re.sub(
        r'^import \{[^}]*\} from "\./.*";\n', "", "\n".join(parts), flags=re.M
    )


class Live(anywidget.AnyWidget):
    """What all figures that a reader moves share.

    Data that the model carries, JavaScript that draws it in the page, one style sheet, and a
    first frame as PNG with a text of its own, shown wherever a widget cannot run.

    Parameters
    ----------
    first : bytes
        The first frame, see `first_frame`.
    alt : str
        What it shows, in words.
    title : str
        Names the figure.
    **traits
        What the JavaScript reads.
    """

    title = traitlets.Unicode().tag(sync=True)
    _css: Path | str = HERE / "live.css"
    # ipywidgets 7 shows a widget by this method, and would leave out the first frame.
    _ipython_display_ = None

    def __init__(self, first: bytes, alt: str, title: str, **traits: Any) -> None:
        check_texts(title=title, alt=alt)
        self.first, self.alt = first, alt
        super().__init__(title=title, **traits)

    def __repr__(self) -> str:
        """Give viewers without widgets and pictures a sentence."""
        return f"{type(self).__name__}: {self.title}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:  # closed
            return None
        data, metadata = shown
        first = base64.b64encode(self.first).decode()
        return data | {"image/png": first}, metadata | {"image/png": {"alt": self.alt}}


def first_frame(drawn: Figure | bytes, limit: int = MAX_FIRST) -> bytes:
    """Make a PNG of at most ``limit`` bytes of a figure or picture, with a line on how it moves."""
    if isinstance(drawn, Figure):
        file = io.BytesIO()
        drawn.savefig(file, format="png", dpi=100, facecolor="white")
        drawn = file.getvalue()
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 11)
    width = max(picture.width, round(font.getlength(HINT)) + 12)
    image = Image.new("RGB", (width, picture.height + 20), "white")
    image.paste(picture)
    ImageDraw.Draw(image).text((6, picture.height + 2), HINT, "#595959", font)
    while True:
        file = io.BytesIO()
        few = image.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(file, format="png", optimize=True)
        if file.tell() <= limit:
            return file.getvalue()
        image = image.resize([round(0.8 * side) for side in image.size])


def check_texts(**texts: str) -> None:
    """Check that texts say something and can stand in the script of a page.

    Raises
    ------
    ValueError
        Names the argument and what was given.
    """
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a text, got {text!r}")
        # A page keeps the state in a script, and these would end it or swallow its end.
        if re.search(r"<!--|</?script", text, re.I):
            raise ValueError(f"{name} must have no '<!--' or '<script', got {text!r}")


def tidy(ax: Axes) -> None:
    """Take away the frame's upper and right line, and make the numbers small."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
