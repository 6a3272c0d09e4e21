"""Radiographs and bone masks as values, with the intensity, geometry and file functions they need."""

from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph

__all__ = ["BoneMasks", "Box", "Radiograph"]
