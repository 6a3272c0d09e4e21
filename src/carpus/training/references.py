"""What bone predictions are compared with: the cases of a dataset, or nothing but a folder of masks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from carpus.anatomy import OVERLAP_PAIRS, Bone, is_eroded, pair_name
from carpus.data.case import patient_of
from carpus.data.dataset import Case
from carpus.data.reader import read_masks
from carpus.imaging.masks import BoneMasks


@dataclass(frozen=True)
class BoneReference:
    """The reference masks of one wrist, and what results say of it.

    Attributes:
        image: Identifier.
        patient: Unit of the statistics.
        read: The masks, in the image's own orientation.
        centre: Institution; empty if unknown.
        spacing_mm: Edge of a pixel of the masks in mm; None if unknown.
        groups: BE or nonBE by structure; empty for unscored wrists.
    """

    image: str
    patient: str
    read: Callable[[], BoneMasks]
    centre: str = ""
    spacing_mm: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


def dataset_references(cases: Sequence[Case]) -> list[BoneReference]:
    """The references of a dataset's cases, all of which have masks."""
    return [
        BoneReference(
            image=str(case.id),
            patient=case.id.patient,
            read=partial(read_masks, case),
            centre=case.institution or "",
            # Without its centre, a case may be from the one whose pixel size nobody knows.
            spacing_mm=case.spacing_mm if case.institution else None,
            groups=_groups(case),
        )
        for case in cases
    ]


def folder_references(readers: Mapping[str, Callable[[], BoneMasks]]) -> list[BoneReference]:
    """The references of a mere folder of masks: no centre, no pixel size, no scores.

    The patient is read from identifiers of RAM-W600's form; any other wrist counts as a patient of its own.
    """
    return [BoneReference(name, patient_of(name), read) for name, read in sorted(readers.items())]


def _groups(case: Case) -> dict[str, str]:
    """BE or nonBE of every structure: a scored bone by its own joint, anything else by the worst joint."""
    if case.scores is None:
        return {}
    structures = [bone.abbreviation for bone in Bone] + [pair_name(pair) for pair in OVERLAP_PAIRS]
    worst = "BE" if any(is_eroded(score) for score in case.scores.values()) else "nonBE"
    own = {joint.abbreviation: "BE" if is_eroded(score) else "nonBE" for joint, score in case.scores.items()}
    return {structure: own.get(structure, worst) for structure in structures}
