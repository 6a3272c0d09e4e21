from collections.abc import Callable

import polars as pl
import pytest

from carpus.report.breakdown import centre_table, rank_shares
from carpus.report.runs import BONES

Maker = Callable[..., pl.DataFrame]


def with_centres(results: pl.DataFrame) -> pl.DataFrame:
    """The first two patients from HU, the others from SCGH."""
    first = pl.col("patient").cast(pl.String).is_in(["0000", "0001"])
    return results.with_columns(centre=pl.when(first).then(pl.lit("HU")).otherwise(pl.lit("SCGH")).cast(pl.Categorical))


def test_each_centre_has_the_mean_of_its_own_images(results: pl.DataFrame) -> None:
    table = centre_table(with_centres(results), seed=0, replicates=100)
    assert [(row.part, row.details) for row in table.rows] == [
        ("HU", "carpus, seed 3, test: 4 images, 2 patients"),
        ("SCGH", "carpus, seed 3, test: 8 images, 4 patients"),
    ]
    dice = with_centres(results).filter(pl.col("structure").is_in(BONES), pl.col("metric") == "dsc")
    for row in table.rows:
        cell = row.cells[0]
        assert cell is not None
        assert cell.value == pytest.approx(dice.filter(pl.col("centre") == row.part)["value"].mean())
        assert cell.low < cell.value < cell.high


def test_without_centres_there_is_no_table_by_centre(results: pl.DataFrame) -> None:
    assert centre_table(results, seed=0, replicates=20).rows == ()


def test_a_model_that_is_always_better_is_first_in_every_replicate(results: pl.DataFrame) -> None:
    better = results.with_columns(model=pl.lit("better").cast(pl.Categorical), value=pl.col("value") + 0.1)
    found = {run.model: shares for run, _, shares in rank_shares(pl.concat([results, better]), metric="dsc", seed=0)}
    assert found["better"] is not None
    assert found["better"].tolist() == [1, 0]
    assert found["unet"] is not None
    assert found["unet"].tolist() == [0, 1]


def test_models_on_other_patients_or_alone_are_not_ranked(results: pl.DataFrame, make_results: Maker) -> None:
    fewer = make_results(bones="fewer", seed=1).filter(pl.col("patient") != "0003")
    for each in (results, pl.concat([results, fewer.filter(pl.col("task") == "bones")])):
        ranked = rank_shares(each, metric="dsc", seed=0, replicates=20)
        assert all(shares is None for _, _, shares in ranked)
        assert all(0 < cell.value < 1 for _, cell, _ in ranked)
