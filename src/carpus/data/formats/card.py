"""The dataset card of an exported folder, made from the data: `README.md` with the header that the Hub reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from carpus.anatomy import Bone, Joint
from carpus.data.formats.folder import PHANTOM_NOTICE
from carpus.data.layout import SPACING_MM, Split
from carpus.data.statistics import Statistics
from carpus.files import new_file

CARD_FILE = "README.md"

_CITATION = (
    "RAM-W600: A Multi-Task Wrist Dataset and Benchmark for Rheumatoid Arthritis. 2025. "
    "https://doi.org/10.57967/hf/5328"
)
_RESEARCH = "For research use only; not for diagnosis."


@dataclass(frozen=True)
class Origin:
    """Where a dataset came from, as far as it says so itself.

    Attributes:
        is_phantom: It is synthetic.
        repository: The Hub's repository that it was fetched from, such as `owner/name`; None if it was not.
        revision: The commit it was fetched at.
    """

    is_phantom: bool
    repository: str | None = None
    revision: str | None = None

    @property
    def title(self) -> str:
        """What to call the dataset."""
        if self.is_phantom:
            return "PHANTOM wrists (synthetic) in the layout of RAM-W600"
        return "RAM-W600" if self.repository else "Wrist radiographs in the layout of RAM-W600"

    @property
    def licence(self) -> str | None:
        """The licence as the Hub spells it; None if the data do not tell.

        Phantoms are the output of carpus and come under its licence. RAM-W600 is under CC BY 4.0; the layout alone does
        not say that a dataset is RAM-W600.
        """
        if self.is_phantom:
            return "apache-2.0"
        return "cc-by-4.0" if self.repository else None

    @property
    def source(self) -> str:
        """One sentence on where it is from."""
        if self.is_phantom:
            return f"Drawn by carpus {version('carpus')}."
        if self.repository:
            return f"Fetched from huggingface.co/datasets/{self.repository} at {self.revision}. Cite: {_CITATION}"
        return "The data do not say where they are from; add source and licence before you share them."


def write_card(
    folder: Path,
    *,
    statistics: Statistics,
    origin: Origin,
    form: str,
    losses: Iterable[str],
    tables: Mapping[str, Any] | None = None,
) -> None:
    """Writes the dataset card.

    Args:
        folder: The exported folder.
        statistics: Counts of what was exported.
        origin: Where it came from.
        form: Name of the format.
        losses: What the format could not keep, a sentence each.
        tables: What the Hub's header says of Parquet files; None for other formats.
    """
    header = {
        "license": origin.licence or "unknown",
        "pretty_name": origin.title,
        "task_categories": ["image-segmentation", "object-detection", "image-classification"],
        "tags": ["medical", "radiography", "wrist", "rheumatoid-arthritis", "bone-erosion", "carpus"]
        + (["synthetic", "phantom"] if origin.is_phantom else []),
        "size_categories": ["n<1K" if statistics.images < 1000 else "1K<n<10K"],
        **(tables or {}),
    }
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    with new_file(folder / CARD_FILE) as draft:
        draft.write_text(f"---\n{text}---\n\n{_body(statistics, origin, form, list(losses))}", "utf-8")


def _body(statistics: Statistics, origin: Origin, form: str, losses: list[str]) -> str:
    parts = [f"# {origin.title}"]
    if origin.is_phantom:
        parts.append(f"> **{PHANTOM_NOTICE}**")
    parts += [
        f"{statistics.images} radiographs of the wrist of {statistics.patients} patients: masks of {len(Bone)} "
        f"overlapping bones, boxes of {len(Joint)} joints, and their SvdH erosion scores. {origin.source} {_RESEARCH}",
        _table(
            ["", *(split.value for split in Split)],
            [
                ["images with masks", *statistics.bones.values()],
                ["images with erosion scores", *statistics.erosion.values()],
                ["patients", *statistics.patients_by_split.values()],
            ],
        ),
        "The splits of the two tasks are independent: do not train one model on both without looking at them.",
        "## Who",
        "\n".join(f"- {line}" for line in _people(statistics)),
        "## Erosion scores",
        _table(
            ["score", *(joint.label for joint in Joint)],
            [
                [score, *(sum(table[joint.abbreviation][score] for table in tables) for joint in Joint)]
                for tables in [list(statistics.erosion_scores.values())]
                for score in tables[0][Joint.LUNATE.abbreviation]
            ],
        ),
        "## Format",
        f"Written by `carpus data export --to {form}`; `carpus data import --from {form}` reads it back. "
        f"Bones: {', '.join(bone.value for bone in Bone)}. A pixel is {SPACING_MM} mm, unknown for DHA.",
        "\n".join(losses) if losses else "Nothing was lost: pixels, masks with their overlap, boxes, scores, splits.",
    ]
    return "\n\n".join(parts) + "\n"


def _people(statistics: Statistics) -> Iterable[str]:
    for name, counts in (("Centres", statistics.centres), ("Sex", statistics.sexes)):
        yield f"{name}: {', '.join(f'{key} {count}' for key, count in counts.items())}"
    if statistics.ages:
        least, median, most = statistics.ages
        yield f"Age at the first visit: {least} to {most} years, median {median}"
    yield f"Patients by number of visits: {', '.join(f'{each}: {n}' for each, n in statistics.visits.items())}"


def _table(heading: list[str], rows: list[list[Any]]) -> str:
    lines = [heading, ["---", *(["---:"] * (len(heading) - 1))], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
