"""The numbers that the RAM-W600 paper printed, to stand beside new ones. They were measured on patients.

| table | what                                        | columns                                             |
|-------|---------------------------------------------|-----------------------------------------------------|
| 4     | bones, means                                | DSC and NSD of BE, nonBE, All and P; VOE, MSD, RAVD |
| 5     | erosion, all joints together                | BACC, F1, DOR, ACC, SEN, SPC, PRE                   |
| 8, 9  | DSC, NSD by bone                            | the bones' abbreviations                            |
| 10, 11| DSC, NSD of the scored bones, BE and nonBE  | `Sca BE`, `Sca nonBE`, `Sca P`, ...                 |
| 12, 13| DSC, NSD of overlaps                        | the pairs' names and Mean                           |

Tables 6 and 7 tell of the dataset: `published_imaging` and `published_scores`.

Tables 4 and 5 also hold `params_millions` and `time_ms` (an image, on the paper's RTX 4090). P holds the
paper's stars: `*` below 0.05, `**` below 0.01, `***` below 0.001.

Two readings of the print: tables 12 and 13 head their fifth column Tz-MC1, but the benchmark computed the
trapezium with the first metacarpal, so it is `Tr-MC1` here; tables 11 to 13 spell `UNet` what the others call
`Unet`, the name used here.

References:
    RAM-W600: A Multi-Task Wrist Dataset and Benchmark for Rheumatoid Arthritis, version 1 of the data (621
    images): 90 test images for the bones, 654 test joints (76 eroded) for erosion.
"""

import math
from functools import cache
from importlib.resources import files

import pandas as pd

from carpus.metrics import Confusion, confusion_from_rates

PUBLISHED = (4, 5, 8, 9, 10, 11, 12, 13)
"""The paper's tables of models that are held here."""

_ERODED, _HEALTHY = 76, 578


@cache
def published_table(number: int) -> pd.DataFrame:
    """One table of the paper, indexed by model, numbers as printed.

    Args:
        number: One of `PUBLISHED`.

    Example:
        >>> float(published_table(4).loc["SwinUMamba", "DSC All"])
        0.977
    """
    with (files("carpus.report") / "published" / f"table_{number}.csv").open() as file:
        table = pd.read_csv(file, index_col="model")
    marks = [column for column in map(str, table) if column.endswith(" P")]
    return table.astype(dict.fromkeys(marks, object)).fillna(dict.fromkeys(marks, ""))


@cache
def published_imaging() -> pd.DataFrame:
    """The paper's Table 6: how each centre made its radiographs, as text; empty where it does not say.

    Example:
        >>> published_imaging().loc["Bit depth (bit)", "HMCRD"]
        '10'
    """
    with (files("carpus.report") / "published" / "table_6.csv").open() as file:
        return pd.read_csv(file, index_col="parameter", dtype=str, keep_default_na=False)


@cache
def published_scores(task: str) -> pd.DataFrame:
    """The paper's Table 7: wrists by split, joint and SvdH score. Nobody had a 4, for which it has no row.

    Args:
        task: `bones` (7a) or `erosion` (7b).

    Example:
        >>> int(published_scores("erosion").loc[("test", 2), "Sca"])
        16
    """
    with (files("carpus.report") / "published" / "table_7.csv").open() as file:
        table = pd.read_csv(file)
    return table[table["task"] == task].drop(columns="task").set_index(["split", "score"])


def published_parameters(model: str) -> float:
    """The network's parameters in millions as the paper printed them; NaN if the paper has no such network.

    Example:
        >>> published_parameters("unet")
        7.94
    """
    for number in (4, 5):
        for name, millions in published_table(number)["params_millions"].items():
            if same_network(str(name), model):
                return float(millions)
    return math.nan


def published_confusions() -> dict[str, Confusion]:
    """Each classifier's four counts, rebuilt from what the paper's Table 5 prints of its 654 test joints, 76 eroded.

    The counts are the whole numbers nearest to SEN and SPC; they give every printed rate of most rows again.

    Example:
        >>> published_confusions()["MedMamba"]
        Confusion(tp=29, fp=80, fn=47, tn=498)
    """
    found = {}
    for model, row in published_table(5).iterrows():
        rates = {"sen": float(row["SEN"]), "spc": float(row["SPC"])}
        found[str(model)] = confusion_from_rates(**rates, positives=_ERODED, negatives=_HEALTHY)
    return found


def same_network(model: str, other: str) -> bool:
    """Whether two spellings name one network, such as `unet_plus_plus` and `Unet++`.

    Example:
        >>> same_network("DeepLabV3Plus", "DeepLabV3+"), same_network("Unet", "Unet++")
        (True, False)
    """
    return _key(model) == _key(other)


def _key(model: str) -> str:
    letters = model.lower().replace("+", "plus")
    return "".join(letter for letter in letters if letter.isalnum())
