"""The page on which a person goes through freshly cut wrists: each with its bones, joints, side and doubts.

One HTML file that fetches nothing. It names the films, so it is private like the key. Wrists to leave out are ticked,
and the page saves their films as the text file that `carpus data prepare --exclude` takes.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from markupsafe import Markup

from carpus.anatomy import Joint, Side
from carpus.files import new_file
from carpus.imaging.geometry import Box, resize
from carpus.report.layers import BoneShape
from carpus.report.templating import template_environment

_PICTURE_PX = 480
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 85)


@dataclass(frozen=True)
class ReviewItem:
    """One wrist as the page shows it.

    Attributes:
        identifier: In the dataset.
        source: The film it was cut from.
        side: Of the body.
        side_from: Who says so.
        split: Name of the split.
        is_drawn: Whether somebody drew its bones; else a network outlined them.
        boxes: The joints' regions in pixels of the crop.
        scores: SvdH scores; None if unscored.
        spacing: The film's pixel size, and who says so.
        flags: Doubts for a person to settle, by a short fixed name.
        notes: What else is worth knowing, the same way.
        picture: Of the crop, as a data address.
        shapes: Its bones.
        edge_px: Of the crop.
    """

    identifier: str
    source: str
    side: Side
    side_from: str
    split: str
    is_drawn: bool
    boxes: Mapping[Joint, Box]
    scores: Mapping[Joint, int] | None
    spacing: str
    flags: Mapping[str, str]
    notes: Mapping[str, str]
    picture: str
    shapes: tuple[BoneShape, ...]
    edge_px: int


def picture_of(pixels: UInt8[np.ndarray, "n n"]) -> str:
    """The crop as a data address, small enough for a page of a thousand."""
    edge = min(_PICTURE_PX, pixels.shape[0])
    _, jpeg = cv2.imencode(".jpg", resize(pixels, height=edge, width=edge), _JPEG)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def write_review(
    path: Path,
    items: Sequence[ReviewItem],
    *,
    refused: Mapping[str, str],
    remarks: Sequence[str],
    dataset: str,
    is_phantom: bool = False,
) -> None:
    """Writes the page.

    Args:
        path: To write.
        items: The wrists of the dataset; those with a doubt are shown first.
        refused: Films that are not in it, and why.
        remarks: What else there is to know, a sentence each.
        dataset: Its name.
        is_phantom: Whether the wrists are synthetic.
    """
    environment = template_environment()
    templates = files("carpus.report") / "templates"
    script = (templates / "review.js").read_text(encoding="utf-8")
    page = environment.get_template("review.html").render(
        items=sorted(items, key=lambda item: (not item.flags, item.identifier)),
        refused=dict(sorted(refused.items())),
        remarks=remarks,
        dataset=dataset,
        is_phantom=is_phantom,
        style=Markup((templates / "review.css").read_text(encoding="utf-8")),  # noqa: S704 (ours)
        # The page's policy allows this one script, by its hash, and none that a file's name may bring along.
        script=Markup(script),  # noqa: S704
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    with new_file(path) as draft:
        draft.write_text(page, "utf-8")
