"""How fast 10,000 bootstrap replicates of a whole leaderboard are, beside resampling rows one replicate at a time.

The leaderboard: 20 bone models with 10 metrics of BE, nonBE and all images (600 means), and 7 classifiers with four
counts and the area under the ROC curve within joints, on 1,000 images of 350 patients. All values are made up. The
plain way is timed on a few replicates and scaled up; both give the same numbers for the same resamples, which is
checked.

Example:
    python benchmarks/bootstrap.py
"""

import argparse
import time

import numpy as np

from carpus.metrics import auroc_within
from carpus.stats import (
    PatientResamples,
    intervals,
    rank_stability,
    resample_patients,
    resampled_auroc,
    resampled_means,
    resampled_sums,
    sums_by_patient,
)

PATIENTS, IMAGES, COLUMNS, CLASSIFIERS, JOINTS = 350, 1000, 600, 7, 6


def main() -> None:
    """Times both ways and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--plain", type=int, default=20, help="replicates of the plain way (default: %(default)s)")
    options = parser.parse_args()

    generator = np.random.default_rng(0)
    patients = [f"{i % PATIENTS:04d}" for i in range(IMAGES)]
    values = generator.random((IMAGES, COLUMNS))
    values[generator.random((IMAGES, COLUMNS)) < 0.3] = np.nan  # images of the other group
    strata = np.tile(np.arange(JOINTS), IMAGES)
    of_joint = list(np.repeat(patients, JOINTS))
    eroded = generator.random(IMAGES * JOINTS) < 0.12
    answers = [np.clip(generator.normal(0.3 + 0.1 * eroded, 0.2), 0, 1) for _ in range(CLASSIFIERS)]

    start = time.perf_counter()
    resamples = resample_patients(patients, replicates=options.replicates, generator=generator)
    means = _means(resamples, values, patients)
    intervals(means)
    rank_stability(means[:, :20], better="higher")
    areas = []
    for answer in answers:
        counts = np.column_stack([eroded, ~eroded, answer >= 0.5, eroded & (answer >= 0.5)]).astype(float)
        intervals(resampled_sums(resamples, sums_by_patient(resamples, counts, of_joint)))
        areas.append(resampled_auroc(resamples, eroded, answer, of_joint, strata))
    intervals(np.column_stack(areas))
    ours = time.perf_counter() - start
    print(f"ours: {options.replicates} replicates in {ours:.2f} s")

    start = time.perf_counter()
    for replicate in range(options.plain):
        times = dict(zip(resamples.patients, resamples.times[replicate].astype(int), strict=True))
        rows = np.repeat(np.arange(IMAGES), [times[name] for name in patients])
        assert np.allclose(np.nanmean(values[rows], axis=0), means[replicate])
        rows = np.repeat(np.arange(len(eroded)), [times[name] for name in of_joint])
        for answer, area in zip(answers, areas, strict=True):
            assert np.isclose(auroc_within(eroded[rows], answer[rows], strata[rows]), area[replicate])
    plain = (time.perf_counter() - start) / options.plain * options.replicates
    print(f"plain: {plain:.0f} s, scaled up from {options.plain} replicates; {plain / ours:.0f} x")


def _means(resamples: PatientResamples, values: np.ndarray, patients: list[str]) -> np.ndarray:
    defined = ~np.isnan(values)
    sums = sums_by_patient(resamples, np.where(defined, values, 0), patients)
    return resampled_means(resamples, sums, sums_by_patient(resamples, defined.astype(float), patients))


if __name__ == "__main__":
    main()
