"""How well a box of a joint agrees with the reference."""

from carpus.imaging.geometry import Box


def box_iou(reference: Box, predicted: Box) -> float:
    """Intersection over union of two boxes, 0 to 1, higher is better.

    Args:
        reference: As an expert drew it.
        predicted: As it was found, in pixels of the same image.

    Example:
        >>> box_iou(Box(0, 0, 4, 2), Box(2, 0, 4, 2))
        0.3333333333333333
    """
    width = min(reference.x + reference.width, predicted.x + predicted.width) - max(reference.x, predicted.x)
    height = min(reference.y + reference.height, predicted.y + predicted.height) - max(reference.y, predicted.y)
    common = max(width, 0.0) * max(height, 0.0)
    return common / (reference.area + predicted.area - common)
