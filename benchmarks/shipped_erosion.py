"""How well the erosion network that comes along tells eroded joints of synthetic wrists it has never seen.

Wrists are drawn anew, with a seed that neither training nor validation has. Each is read twice: with the regions of the
bones as drawn, and with those of the bones that the bone network finds. The first is what the erosion network can do,
the second what a reading does with both. Probabilities are those that a reading gives, for the prevalence of RAM-W600;
for calibration each joint is weighed so that the drawn wrists have that prevalence too. JointPrior looks at no image;
it knows RAM-W600's prevalence, and calls a joint eroded where this is above the mean.

BACC is at the cut chosen in validation; what a reading calls eroded, where that is likelier than not at the prevalence
of RAM-W600, has its own sensitivity (SEN) and specificity (SPC). AUROC is within joint, so that knowing the joint gains
nothing. Intervals are 95 %, of a bootstrap over wrists. PHANTOM: nothing here says anything of patients. Run from the
repository:

    python benchmarks/shipped_erosion.py
"""

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from carpus.anatomy import SVDH_SCORES, Joint, Side
from carpus.data.erosion_inputs import erosion_input, joint_region
from carpus.data.results import JOINT_PRIOR
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.geometry import Box, mirror, resize
from carpus.imaging.intensity import min_max
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.inference.grading import LIKELY, PREVALENCE, grade
from carpus.inference.model import Model, load_model
from carpus.inference.solid import whole_bones
from carpus.inference.weights import bundled_weights
from carpus.metrics import auroc_within, bacc, confusion, mae, quadratic_weighted_kappa, sen, spc
from carpus.nets.apply import classify, segment
from carpus.phantom.samples import sample
from carpus.stats.bootstrap import patient_bootstrap
from carpus.training.phantom_joints import seen

RESULTS = Path(__file__).parent / "results"
SIZE_PX = 512
REGIONS = ("drawn", "found")
_BINS = 10
_REPLICATES = 500
_COLUMNS = ("score", "probability", "called", "said", "graded", "held", "prevalence", "joint")
_ABBREVIATIONS = [joint.abbreviation for joint in Joint]

Values = Float64[np.ndarray, "n k"]
"""Answers as numbers, a row a joint, in the order of `_COLUMNS`."""


def main() -> None:
    """Draws, judges, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrists", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=90210, help="of the wrists, default: %(default)s")
    parser.add_argument("--erosion", type=Path, help="checkpoint, default: the one that comes along")
    parser.add_argument("--bones", type=Path, help="checkpoint, default: the one that comes along")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    bones = load_model(options.bones or bundled_weights("bones"), task="bones")
    erosion = load_model(options.erosion or bundled_weights("erosion"), task="erosion")
    if erosion.info.head != "corn":
        raise InputError("the erosion network gives no scores; give a checkpoint of a recipe with head: corn")
    answers = pd.concat(
        [judge_wrist(number, options.seed, bones=bones, erosion=erosion) for number in range(options.wrists)]
    )
    table = pd.DataFrame([row for name in (*REGIONS, JOINT_PRIOR) for row in rows(name, answers)])
    print(f"PHANTOM: {options.wrists} wrists of seed {options.seed}; {erosion.info.net}, {erosion.info.recipe}")
    print(table.to_string(index=False))
    drawn, found = (len(answers[answers["regions"] == name]) for name in REGIONS)
    print(f"{drawn} joints on the drawn wrists, {found} of them with bones that the network found")
    with new_file(options.results / "shipped_erosion.csv") as draft:
        table.to_csv(draft, index=False)


def judge_wrist(number: int, seed: int, *, bones: Model, erosion: Model) -> pd.DataFrame:
    """A row for each joint of a drawn wrist and each way to find its region."""
    drawn = sample(np.random.default_rng([seed, number]), size_px=SIZE_PX)
    pixels, plane = seen(drawn.pixels), drawn.plane
    if drawn.side is Side.LEFT:
        pixels, plane = mirror(pixels), mirror(plane)
    small = resize(pixels, height=bones.info.image_size, width=bones.info.image_size)
    logits = segment(bones.network, min_max(small), height=SIZE_PX, width=SIZE_PX)
    true = joint_boxes(BoneMasks(plane), spacing_mm=drawn.spacing_mm)
    found = joint_boxes(whole_bones(BoneMasks.from_stack(logits > 0)), spacing_mm=drawn.spacing_mm)
    rows = []
    for name, boxes in zip(REGIONS, (true, {joint: box for joint, box in found.items() if joint in true}), strict=True):
        if not boxes:
            continue
        beyond = _answers(erosion, pixels, boxes)
        for own, joint in zip(beyond, boxes, strict=True):
            given = grade(own[None], joint, erosion.info)
            low, high = given.score_range or (0, SVDH_SCORES[-1])
            score = drawn.scores[joint]
            rows.append(
                {
                    "wrist": str(number),
                    "regions": name,
                    "joint": joint.abbreviation,
                    "score": score,
                    "probability": given.probability,
                    "called": own[0] >= (erosion.info.cut or LIKELY),
                    "said": given.probability >= given.cut,
                    "graded": given.score,
                    "held": low <= score <= high,
                    "prevalence": PREVALENCE[joint],
                }
            )
    return pd.DataFrame(rows)


def rows(name: str, answers: pd.DataFrame) -> list[dict[str, object]]:
    """The figures of each joint and of all, by the network or by JointPrior."""
    if name == JOINT_PRIOR:
        own = answers[answers["regions"] == REGIONS[0]].copy()
        own["probability"] = own["prevalence"]
        own["called"] = own["prevalence"] >= np.mean(list(PREVALENCE.values()))
        own["said"], own["graded"], own["held"] = False, 0, False
    else:
        own = answers[answers["regions"] == name]
    generator = np.random.default_rng(0)
    every = [(joint.abbreviation, own[own["joint"] == joint.abbreviation]) for joint in Joint]
    return [_figures(name, part, of, generator) for part, of in (*every, ("all", own))]


def _figures(name: str, part: str, own: pd.DataFrame, generator: np.random.Generator) -> dict[str, object]:
    values = own[list(_COLUMNS)].assign(joint=own["joint"].map(_ABBREVIATIONS.index)).astype(float).to_numpy()
    wrists = own["wrist"].tolist()
    figures: dict[str, object] = {
        "regions": name,
        "joint": part,
        "joints": len(own),
        "eroded": int((own["score"] > 0).sum()),
    }
    for label, statistic in _STATISTICS.items():
        if name == JOINT_PRIOR and label in _OF_SCORES:
            continue
        interval = patient_bootstrap(values, wrists, statistic, replicates=_REPLICATES, generator=generator)
        value = statistic(values)
        spread = "" if math.isnan(interval.low) else f" [{interval.low:.3f}, {interval.high:.3f}]"
        figures[label] = f"{value:.3f}{spread}"
    return figures


def _columns(values: Values) -> dict[str, Float64[np.ndarray, " n"]]:
    return dict(zip(_COLUMNS, values.T, strict=True))


def _area(values: Values) -> float:
    of = _columns(values)
    return auroc_within(of["score"] > 0, of["probability"], of["joint"])


def _balanced(values: Values) -> float:
    of = _columns(values)
    return bacc(confusion(of["score"] > 0, of["called"] > 0))


def _sensitivity(values: Values) -> float:
    of = _columns(values)
    return sen(confusion(of["score"] > 0, of["said"] > 0))


def _specificity(values: Values) -> float:
    of = _columns(values)
    return spc(confusion(of["score"] > 0, of["said"] > 0))


def _kappa(values: Values) -> float:
    of = _columns(values)
    return quadratic_weighted_kappa(of["score"].astype(int), of["graded"].astype(int))


def _error(values: Values) -> float:
    of = _columns(values)
    return mae(of["score"].astype(int), of["graded"].astype(int))


def _held(values: Values) -> float:
    of = _columns(values)
    return float(np.average(of["held"], weights=_weights(of)))


def _calibration(values: Values) -> float:
    """The expected calibration error in bins of equal width, the wrists weighed to RAM-W600's prevalence."""
    of = _columns(values)
    weights, eroded = _weights(of), of["score"] > 0
    bins = np.minimum((of["probability"] * _BINS).astype(int), _BINS - 1)
    apart = np.bincount(bins, weights * (of["probability"] - eroded), minlength=_BINS)
    return float(np.abs(apart).sum() / weights.sum())


def _weights(of: Mapping[str, Float64[np.ndarray, " n"]]) -> Float64[np.ndarray, " n"]:
    """How much each row counts so that its joint is eroded as often as in RAM-W600."""
    weights = np.ones(len(of["score"]))
    eroded = of["score"] > 0
    for joint in np.unique(of["joint"]):
        inside = of["joint"] == joint
        share = eroded[inside].mean()
        if 0 < share < 1:
            wanted = of["prevalence"][inside][0]
            weights[inside] = np.where(eroded[inside], wanted / share, (1 - wanted) / (1 - share))
    return weights


def _answers(model: Model, pixels: np.ndarray, boxes: Mapping[Joint, Box]) -> Float64[np.ndarray, "n k"]:
    channels = [
        erosion_input(
            joint_region(pixels, box, image_size=model.info.image_size, flip=False),
            None,
            joint,
            contralateral=model.info.contralateral,
            joint_input=model.info.joint_input,
        )
        for joint, box in boxes.items()
    ]
    return classify(model.network, np.stack(channels), head=model.info.head)


_STATISTICS: dict[str, Callable[[Values], float]] = {
    "AUROC": _area,
    "BACC": _balanced,
    "SEN of reading": _sensitivity,
    "SPC of reading": _specificity,
    "QWK": _kappa,
    "MAE": _error,
    "ECE": _calibration,
    "range holds": _held,
}
_OF_SCORES = ("QWK", "MAE", "range holds")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
