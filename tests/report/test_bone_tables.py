import json
import math
from collections.abc import Callable

import polars as pl
import pytest
from scipy.stats import mannwhitneyu

from carpus.errors import InputError
from carpus.report.bone_tables import bone_tables
from carpus.report.cells import Cell, Row, Table
from carpus.report.runs import BONES, PAIRS
from carpus.report.tables import tables_as_dict
from carpus.stats import stars

Maker = Callable[..., pl.DataFrame]


def made(results: pl.DataFrame, number: int = 4, *, replicates: int = 50) -> Table:
    (table,) = bone_tables(results, seed=0, replicates=replicates, numbers=[number])
    return table


def bones_of(results: pl.DataFrame, metric: str) -> pl.DataFrame:
    return results.filter(pl.col("structure").is_in(BONES), pl.col("metric") == metric)


def cell(table: Table, row: Row, group: str, name: str) -> Cell:
    names = [(column.group, column.name) for column in table.columns]
    found = row.cells[names.index((group, name))]
    assert found is not None
    return found


def changed(results: pl.DataFrame, structure: str, metric: str, value: float) -> pl.DataFrame:
    """The results with the first value of one structure replaced."""
    match = (pl.col("structure") == structure) & (pl.col("metric") == metric)
    first = match & (match.cum_sum() == 1)
    return results.with_columns(value=pl.when(first).then(value).otherwise("value"))


def test_means_are_over_images_and_bones(results: pl.DataFrame) -> None:
    table = made(results)
    for group, name, metric in (("DSC", "All", "dsc"), ("NSD", "All", "nsd"), ("", "VOE", "voe")):
        expected = bones_of(results, metric)["value"].mean()
        assert cell(table, table.rows[0], group, name).value == pytest.approx(expected)


def test_groups_are_images_with_and_without_an_eroded_joint(results: pl.DataFrame) -> None:
    table = made(results)
    dice = bones_of(results, "dsc")
    eroded_images = dice.filter(pl.col("group") == "BE")["image"].unique()
    assert 0 < len(eroded_images) < 12
    inside = pl.col("image").is_in(eroded_images.to_list())
    for name, rows in (("BE", dice.filter(inside)), ("nonBE", dice.filter(~inside))):
        assert cell(table, table.rows[0], "DSC", name).value == pytest.approx(rows["value"].mean())


def test_stars_come_from_one_value_an_image(make_results: Maker) -> None:
    results = make_results()
    dice = pl.col("structure").is_in(BONES) & (pl.col("metric") == "dsc")
    eroded_images = bones_of(results, "dsc").filter(pl.col("group") == "BE")["image"].unique().to_list()
    # A small but constant drop in every eroded image.
    place = dice.cum_sum() / dice.sum()
    value = 0.95 + 0.001 * place - 0.01 * pl.col("image").is_in(eroded_images)
    results = results.with_columns(value=pl.when(dice).then(value).otherwise("value"))
    means = bones_of(results, "dsc").group_by("image").agg(pl.col("value").mean())
    is_eroded = pl.col("image").is_in(eroded_images)
    p = mannwhitneyu(means.filter(is_eroded)["value"], means.filter(~is_eroded)["value"]).pvalue
    assert p < 0.01
    table = made(results)
    assert cell(table, table.rows[0], "DSC", "All").stars == stars(p)
    assert cell(table, table.rows[0], "NSD", "All").stars == ""


def test_a_missed_bone_is_counted_and_left_out_of_the_mean_distance_only(results: pl.DataFrame) -> None:
    missed = changed(changed(results, "Lu", "msd", math.inf), "Lu", "dsc", 0.0)
    before, after = made(results), made(missed)
    distances = missed.filter(pl.col("metric") == "msd", pl.col("value").is_finite())["value"]
    assert cell(after, after.rows[0], "", "MSD (px)").value == pytest.approx(distances.mean())
    assert cell(after, after.rows[0], "Count", "missed").value == 1
    assert cell(before, before.rows[0], "Count", "missed").value == 0
    assert cell(after, after.rows[0], "DSC", "All").value < cell(before, before.rows[0], "DSC", "All").value


def test_an_undefined_value_is_counted_and_left_out(results: pl.DataFrame) -> None:
    table = made(changed(results, "Lu", "dsc", math.nan))
    assert cell(table, table.rows[0], "Count", "undefined").value == 1
    assert not math.isnan(cell(table, table.rows[0], "DSC", "All").value)


def test_an_interval_encloses_its_mean(results: pl.DataFrame) -> None:
    table = made(results, replicates=500)
    found = cell(table, table.rows[0], "NSD", "All")
    assert found.low < found.value < found.high


def test_phantom_rows_are_labelled_and_the_papers_row_is_called_not_comparable(results: pl.DataFrame) -> None:
    table = made(results)
    assert [(row.model, row.source) for row in table.rows] == [("unet", "PHANTOM"), ("Unet", "paper")]
    assert cell(table, table.rows[1], "DSC", "All").value == 0.963
    assert any("Not comparable" in note and "patients" in note for note in table.notes)


def test_rows_of_patients_are_not_called_phantoms(make_results: Maker) -> None:
    table = made(make_results(data="patients"))
    assert table.rows[0].source == "patients"
    assert not any("PHANTOM" in note for note in table.notes)
    assert any("same test images" in note for note in table.notes)


def test_a_network_that_the_paper_has_not_stands_alone(make_results: Maker) -> None:
    table = made(make_results(bones="homemade"))
    assert [row.source for row in table.rows] == ["PHANTOM"]
    assert not any("paper" in note for note in table.notes)


def seeded(results: pl.DataFrame, seed: int) -> pl.DataFrame:
    return results.with_columns(seed=pl.lit(seed, pl.Int32))


def test_the_seeds_of_a_model_are_one_row_with_their_mean(results: pl.DataFrame, make_results: Maker) -> None:
    other = make_results(seed=1)
    table = made(pl.concat([results, seeded(other, 4)]), 8)
    assert [row.source for row in table.rows] == ["PHANTOM", "paper"]
    assert table.rows[0].details == "carpus, 2 seeds, test: 12 images, 6 patients"
    values = [bones_of(each, "dsc").filter(pl.col("structure") == "Lu")["value"] for each in (results, other)]
    assert cell(table, table.rows[0], "", "Lu").value == pytest.approx(pl.concat(values).mean())


def test_seeds_do_not_count_as_more_images_in_a_test(results: pl.DataFrame) -> None:
    for number in (4, 10):
        once, twice = (made(each, number) for each in (results, pl.concat([results, seeded(results, 4)])))
        for one, other in zip(once.rows[0].cells, twice.rows[0].cells, strict=True):
            assert one is not None
            assert other is not None
            assert one.stars == other.stars
            assert (one.value, one.low) == pytest.approx((other.value, other.low), nan_ok=True)


def test_the_best_and_the_second_best_of_a_column_are_marked(results: pl.DataFrame) -> None:
    bones = results.filter(pl.col("task") == "bones")
    shifted = [
        bones.with_columns(model=pl.lit(model).cast(pl.Categorical), value=pl.col("value") - by)
        for model, by in (("a", 0.05), ("b", 0.02), ("c", 0.0), ("d", 0.0))
    ]
    table = made(pl.concat(shifted))
    for group, name, places in (("DSC", "All", [0, 2, 1, 1]), ("", "VOE", [1, 2, 0, 0]), ("Count", "missed", [0] * 4)):
        assert [cell(table, row, group, name).place for row in table.rows] == places


def test_models_on_the_same_patients_share_their_resamples(results: pl.DataFrame) -> None:
    better = results.with_columns(model=pl.lit("better").cast(pl.Categorical), value=pl.col("value") + 0.25)
    table = made(pl.concat([results, better]))
    one, other = (cell(table, row, "DSC", "All") for row in table.rows if row.source == "PHANTOM")
    assert one.low - other.low == pytest.approx(0.25)
    assert one.high - other.high == pytest.approx(0.25)


def test_a_row_says_on_how_many_images_of_how_many_patients_it_rests(results: pl.DataFrame) -> None:
    assert made(results, 8).rows[0].details.endswith("12 images, 6 patients")


def test_each_bone_has_the_mean_of_its_images(results: pl.DataFrame) -> None:
    table = made(results, 8)
    lunate = bones_of(results, "dsc").filter(pl.col("structure") == "Lu")["value"]
    assert cell(table, table.rows[0], "", "Lu").value == pytest.approx(lunate.mean())
    assert cell(table, table.rows[1], "", "Lu").value == 0.949


@pytest.mark.parametrize(("number", "metric"), [(10, "dsc"), (11, "nsd")])
def test_scored_bones_are_grouped_by_their_own_joint(results: pl.DataFrame, number: int, metric: str) -> None:
    table = made(results, number)
    bone = bones_of(results, metric).filter(pl.col("structure") == "Sca")
    eroded, healthy = (bone.filter(pl.col("group") == group)["value"] for group in ("BE", "nonBE"))
    row = table.rows[0]
    assert cell(table, row, "Sca", "BE").value == pytest.approx(eroded.mean())
    assert cell(table, row, "Sca", "nonBE").value == pytest.approx(healthy.mean())
    assert cell(table, row, "Sca", "nonBE").stars == stars(mannwhitneyu(eroded, healthy).pvalue)
    assert cell(table, row, "Sca", "n BE").value == len(eroded)


def test_table_11_reads_the_papers_columns_by_name_not_by_position(results: pl.DataFrame) -> None:
    table = made(results, 11)
    assert cell(table, table.rows[1], "Tr", "BE").value == 0.678
    assert cell(table, table.rows[1], "Sca", "BE").value == 0.829


def test_the_mean_overlap_is_over_defined_images_and_pairs(results: pl.DataFrame) -> None:
    table = made(changed(results, "Radius-Sca", "dsc", math.nan), 12)
    values = results.filter(pl.col("structure").is_in(PAIRS), pl.col("metric") == "dsc")["value"]
    assert cell(table, table.rows[0], "", "Mean").value == pytest.approx(values[1:].mean())
    assert cell(table, table.rows[0], "Count", "undefined").value == 1


def test_a_value_given_twice_is_refused(results: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="is given twice"):
        made(pl.concat([results, results.tail(400)]), 8)


def test_a_foreign_spelling_is_refused_and_not_left_out(results: pl.DataFrame) -> None:
    spelling = pl.col("structure").cast(pl.String).replace("Tr", "Trapzium").cast(pl.Categorical)
    respelled = results.with_columns(structure=spelling)
    with pytest.raises(InputError, match=r"structure 'Trapzium'.*rename"):
        made(respelled, 8)


def test_tables_are_valid_json_with_undefined_as_null(results: pl.DataFrame) -> None:
    nothing = results.filter(pl.col("task") == "bones")
    nothing = nothing.with_columns(value=pl.when(pl.col("structure") == "Lu").then(math.nan).otherwise("value"))
    found = tables_as_dict(nothing, replicates=20)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["table_8"]["rows"][0]["values"]["Lu"] == {"value": None}
    assert again["table_4"]["rows"][0]["values"]["Count undefined"] == {"value": 12.0}
    assert len(again["table_4"]["rows"][0]["values"]["DSC All"]["interval"]) == 2


def test_a_frame_of_a_table_has_the_values(results: pl.DataFrame) -> None:
    frame = made(results, 8).frame()
    assert frame.loc["Unet paper", ("", "MC5")] == 0.975
    assert list(frame.index) == ["unet PHANTOM", "Unet paper"]


def test_no_results_make_no_tables(results: pl.DataFrame) -> None:
    assert tables_as_dict(results.clear()) == {}


def test_further_metrics_are_means_with_the_missed_as_a_share(results: pl.DataFrame) -> None:
    bones = results.filter(pl.col("structure").is_in(BONES), pl.col("metric") == "msd")
    value = pl.col("value")
    missed = bones.with_columns(
        metric=pl.lit("missed").cast(pl.Categorical), value=pl.when(value > 1.5).then(1.0).otherwise(0.0)
    )
    distances = bones.with_columns(
        metric=pl.lit("hd95").cast(pl.Categorical), value=pl.when(value > 1.5).then(math.inf).otherwise(value * 2)
    )
    table = made(pl.concat([results, missed, distances]), 0)
    assert [row.source for row in table.rows] == ["PHANTOM"]
    assert cell(table, table.rows[0], "", "Missed").value == pytest.approx((bones["value"] > 1.5).mean())
    finite = distances.filter(pl.col("value").is_finite())["value"]
    assert cell(table, table.rows[0], "", "HD95 (px)").value == pytest.approx(finite.mean())
    assert math.isnan(cell(table, table.rows[0], "", "HD95 (mm)").value)


def test_a_table_without_any_number_is_left_out(results: pl.DataFrame) -> None:
    assert "table_4_more" not in tables_as_dict(results, replicates=20)
