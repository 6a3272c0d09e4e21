"""Bones drawn as polygons with LabelMe: a JSON file an image, a shape a bone or a part of one."""

import json
from pathlib import Path

from carpus.anatomy import parse_bone
from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.imaging.rle import fill_polygons, mask_size

_MAX_BYTES = 64 * 1024**2


def read_labelme(path: Path) -> BoneMasks:
    """The bones in a file of polygons; several of one bone are its parts.

    Raises:
        InputError: Missing, not LabelMe's form, a shape that is no polygon, or a label that is no bone.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than 64 MiB, expected the polygons of one film; check the file")
        content = json.loads(path.read_text("utf-8"))
        height, width = mask_size([content["imageHeight"], content["imageWidth"]])
        masks = []
        for shape in content["shapes"]:
            if shape.get("shape_type", "polygon") != "polygon":
                raise InputError(f"{path} has a {shape['shape_type']!r:.20}, expected polygons only; draw it as one")
            corners = [float(value) for point in shape["points"] for value in point]
            masks.append((parse_bone(str(shape["label"])), fill_polygons([corners], height=height, width=width)))
        return BoneMasks.from_masks(masks, height=height, width=width)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path} cannot be used: {text}") from None
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"{path} is not in LabelMe's form ({one_line(error)}); export it again") from None
