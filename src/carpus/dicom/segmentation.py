"""Bone masks as DICOM Segmentations (SEG): read from anybody's, written beside the film they belong to.

A segment is a bone by its label, its description or the meaning of its coded type, in any known spelling, or by the
type's SNOMED CT code. Segments may overlap; a bone without a segment is empty. Fractions count from one half on.

References:
    DICOM PS3.3, A.51 (Segmentation), C.8.20 (segments, their types and frames).
"""

import re
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from jaxtyping import Bool
from pydicom.pixels.utils import iter_pixels
from pydicom.sr.coding import Code
from pydicom.uid import SegmentationStorage

from carpus.anatomy import Bone, parse_bone
from carpus.dicom.reader import read_header, short_reason
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.files import MAX_PIXELS
from carpus.imaging.masks import BoneMasks

_BONE = Code("272673000", "SCT", "Bone")
_STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")
_CODES = {
    Bone.DISTAL_RADIUS: Code("75129005", "SCT", "Distal Radius"),
    Bone.DISTAL_ULNA: Code("91238003", "SCT", "Distal Ulna"),
    Bone.SCAPHOID: Code("30518006", "SCT", "Scaphoid"),
}
"""The bones that DICOM's context groups have a code for; the others are `_BONE` with a label."""

_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
"""Label Map Segmentation Storage, which pydicom has no name for yet."""

_WORDS_ROUND_A_NAME = re.compile(r"\b(body|bone|left|of|right|structure)\b|[()]", re.IGNORECASE)
_MAX_FRAMES = 256


def read_segmentation(path: Path) -> BoneMasks:
    """The bone masks in a DICOM Segmentation of one image.

    Raises:
        InputError: Not a Segmentation, damaged, larger than `MAX_PIXELS`, a segment that is no known bone, or a segment
            in several frames, as of a volume.
    """
    with warnings.catch_warnings():
        # pydicom warns of every departure from the standard; what matters here is checked below.
        warnings.simplefilter("ignore")
        dataset = read_header(path)
        if dataset.get("SOPClassUID") not in (SegmentationStorage, _LABEL_MAP):
            raise InputError(f"{path} is no DICOM Segmentation, expected masks of bones; give the SEG object")
        try:
            height, width = _size(path, dataset)
            return BoneMasks.from_masks(_masks(path, dataset), height=height, width=width)
        except InputError:
            raise
        except Exception as error:  # pydicom decodes on access, and damage shows as any kind of error
            raise InputError(
                f"{path} is a Segmentation that cannot be read ({short_reason(error)}); export it again"
            ) from None


def segmented_image(path: Path) -> str:
    """The UID of the image that a Segmentation was drawn on; empty if it does not say, or is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read_header(path)
            images = dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence
            return str(images[0].ReferencedSOPInstanceUID) if len(images) == 1 else ""
        except Exception:  # pydicom decodes on access, and damage shows as any kind of error
            return ""


def write_segmentation(path: Path, masks: BoneMasks, *, film: Path, algorithm: str | None) -> None:
    """Writes the bones as a binary DICOM Segmentation, a segment a bone that is there; a phantom's is marked as one.

    Args:
        path: To write.
        masks: On the grid of the film.
        film: The radiograph in DICOM that the masks belong to; patient and study are taken from it.
        algorithm: Name of what found the bones; None if they were drawn by hand.

    Raises:
        InputError: The film is no DICOM file, its size is another, or there is no bone at all.
    """
    import highdicom as hd

    source = read_header(film)
    size = int(source.get("Rows") or 0), int(source.get("Columns") or 0)
    if size != masks.shape:
        raise InputError(f"masks are {masks.shape} but {film} is {size}, expected the film's grid; resize the masks")
    present = [bone for bone in Bone if masks.mask(bone).any()]
    if not present:
        raise InputError(f"masks for {path} hold no bone, expected at least one; a Segmentation cannot be empty")
    synthetic = source.get("SyntheticData") == "YES"
    segments = [_described(number, bone, algorithm, synthetic) for number, bone in enumerate(present, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        segmentation = hd.seg.Segmentation(
            source_images=[source],
            pixel_array=np.stack([masks.mask(bone) for bone in present], axis=-1)[None],
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=segments,
            series_instance_uid=hd.UID(),
            series_number=1,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="carpus",
            manufacturer_model_name="carpus",
            software_versions=version("carpus"),
            device_serial_number="0",
            content_label="PHANTOM_BONES" if synthetic else "BONES",
            pixel_measures=_measures(source),
        )
        # A projection has no orientation in space, so the standard asks for this one, empty if it is unknown.
        segmentation.PatientOrientation = source.get("PatientOrientation") or ""
        if synthetic:
            segmentation.SyntheticData = "YES"
            segmentation.QualityControlSubject = "YES"
        with new_file(path) as draft:
            segmentation.save_as(draft)


def _measures(source: pydicom.Dataset) -> Any:
    """The pixel size for the masks; None if the film does not tell it."""
    import highdicom as hd

    spacing = source.get("PixelSpacing") or source.get("ImagerPixelSpacing")
    if not spacing:
        return None
    # A projection has no slices, yet highdicom reads no segmentation back that states their spacing alone.
    return hd.PixelMeasuresSequence(pixel_spacing=[float(value) for value in spacing], slice_thickness=0.0)


def _described(number: int, bone: Bone, algorithm: str | None, synthetic: bool) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    found_by = None
    if algorithm is not None:
        family = codes.DCM.DeformableModels if synthetic else codes.DCM.ArtificialIntelligence
        found_by = hd.AlgorithmIdentificationSequence(name=algorithm, family=family, version=version("carpus"))
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=bone.label,
        segmented_property_category=_STRUCTURE,
        segmented_property_type=_CODES.get(bone, _BONE),
        algorithm_type="MANUAL" if algorithm is None else "AUTOMATIC",
        algorithm_identification=found_by,
    )


def _size(path: Path, dataset: pydicom.Dataset) -> tuple[int, int]:
    height, width, frames = int(dataset.Rows), int(dataset.Columns), int(dataset.get("NumberOfFrames") or 1)
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise InputError(f"{path} claims {width} x {height} pixels, expected at most {MAX_PIXELS}; export it again")
    if frames > _MAX_FRAMES:
        raise InputError(f"{path} has {frames} frames, expected one a bone; give the segmentation of one radiograph")
    return height, width


def _masks(path: Path, dataset: pydicom.Dataset) -> Iterator[tuple[Bone, Bool[np.ndarray, "h w"]]]:
    bones = {
        int(segment.SegmentNumber): _bone(path, segment) for segment in dataset.SegmentSequence if segment.SegmentNumber
    }
    kind = str(dataset.get("SegmentationType", ""))
    if kind == "LABELMAP":
        (labels,) = iter_pixels(dataset, raw=True)
        for number, bone in bones.items():
            yield bone, labels == number
        return
    # What is the same in all frames, as it is if there is just one, lies in the shared groups.
    (shared,) = dataset.SharedFunctionalGroupsSequence
    numbers = [
        int(
            (frame if "SegmentIdentificationSequence" in frame else shared)
            .SegmentIdentificationSequence[0]
            .ReferencedSegmentNumber
        )
        for frame in dataset.PerFrameFunctionalGroupsSequence
    ]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{path} has a segment in several frames; give the segmentation of one radiograph")
    half = int(dataset.MaximumFractionalValue) / 2 if kind == "FRACTIONAL" else 1
    for number, frame in zip(numbers, iter_pixels(dataset, raw=True), strict=True):
        yield bones[number], frame >= half


def _bone(path: Path, segment: pydicom.Dataset) -> Bone:
    types = segment.get("SegmentedPropertyTypeCodeSequence") or [pydicom.Dataset()]
    label = str(segment.get("SegmentLabel", ""))
    for text in (label, segment.get("SegmentDescription"), types[0].get("CodeMeaning")):
        try:
            return parse_bone(_WORDS_ROUND_A_NAME.sub(" ", str(text or "")))
        except InputError:
            continue
    for bone, code in _CODES.items():
        if types[0].get("CodeValue") == code.value:
            return bone
    raise InputError(
        f"{path} has the segment {label!r}, which is no known bone; name it after a bone, such as {Bone.LUNATE.label}"
    )
