import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from carpus.errors import InputError
from carpus.report.bone_tables import table_4, table_8, table_10, table_11, table_12
from carpus.report.cells import Cell, Row, Table
from carpus.report.runs import BONES, PAIRS
from carpus.report.tables import tables_as_dict
from carpus.stats import stars

Maker = Callable[..., pd.DataFrame]


def made(results: pd.DataFrame) -> Table:
    return table_4(results, generator=np.random.default_rng(0), replicates=50)


def cell(table: Table, row: Row, group: str, name: str) -> Cell:
    names = [(column.group, column.name) for column in table.columns]
    found = row.cells[names.index((group, name))]
    assert found is not None
    return found


def changed(results: pd.DataFrame, structure: str, metric: str, value: float) -> pd.DataFrame:
    """The results with the first value of one structure replaced."""
    row = results.index[(results["structure"] == structure) & (results["metric"] == metric)][0]
    out = results.copy()
    out.loc[row, "value"] = value
    return out


def test_means_are_over_images_and_bones(results: pd.DataFrame) -> None:
    table = made(results)
    bones = results[results["structure"].isin(BONES)]
    for label, metric in (("DSC", "dsc"), ("NSD", "nsd")):
        assert cell(table, table.rows[0], label, "All").value == pytest.approx(
            bones[bones["metric"] == metric]["value"].mean()
        )
    assert cell(table, table.rows[0], "", "VOE").value == pytest.approx(bones[bones["metric"] == "voe"]["value"].mean())


def test_groups_are_images_with_and_without_an_eroded_joint(results: pd.DataFrame) -> None:
    table = made(results)
    dice = results[results["structure"].isin(BONES) & (results["metric"] == "dsc")]
    eroded_images = set(dice[dice["group"] == "BE"]["image"])
    assert 0 < len(eroded_images) < 12
    inside = dice["image"].isin(eroded_images)
    for name, rows in (("BE", dice[inside]), ("nonBE", dice[~inside])):
        assert cell(table, table.rows[0], "DSC", name).value == pytest.approx(rows["value"].mean())


def test_stars_come_from_one_value_an_image(make_results: Maker) -> None:
    results = make_results()
    dice = results["structure"].isin(BONES) & (results["metric"] == "dsc")
    eroded_images = set(results[dice & (results["group"] == "BE")]["image"])
    # A small but constant drop in every eroded image.
    results.loc[dice, "value"] = 0.95 + 0.001 * np.arange(dice.sum()) / dice.sum()
    results.loc[dice & results["image"].isin(eroded_images), "value"] -= 0.01
    means = results[dice].groupby("image")["value"].mean()
    is_eroded = means.index.isin(eroded_images)
    p = mannwhitneyu(means[is_eroded], means[~is_eroded]).pvalue
    assert p < 0.01
    table = made(results)
    assert cell(table, table.rows[0], "DSC", "All").stars == stars(p)
    assert cell(table, table.rows[0], "NSD", "All").stars == ""


def test_a_missed_bone_is_counted_and_left_out_of_the_mean_distance_only(results: pd.DataFrame) -> None:
    missed = changed(changed(results, "Lu", "msd", math.inf), "Lu", "dsc", 0.0)
    before, after = made(results), made(missed)
    distances = missed[(missed["metric"] == "msd") & np.isfinite(missed["value"])]["value"]
    assert cell(after, after.rows[0], "", "MSD (px)").value == pytest.approx(distances.mean())
    assert cell(after, after.rows[0], "Count", "missed").value == 1
    assert cell(before, before.rows[0], "Count", "missed").value == 0
    assert cell(after, after.rows[0], "DSC", "All").value < cell(before, before.rows[0], "DSC", "All").value


def test_an_undefined_value_is_counted_and_left_out(results: pd.DataFrame) -> None:
    table = made(changed(results, "Lu", "dsc", math.nan))
    assert cell(table, table.rows[0], "Count", "undefined").value == 1
    assert not math.isnan(cell(table, table.rows[0], "DSC", "All").value)


def test_an_interval_encloses_its_mean(results: pd.DataFrame) -> None:
    table = table_4(results, generator=np.random.default_rng(0), replicates=500)
    found = cell(table, table.rows[0], "NSD", "All")
    assert found.low < found.value < found.high


def test_phantom_rows_are_labelled_and_the_papers_row_is_called_not_comparable(results: pd.DataFrame) -> None:
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


def test_two_seeds_are_two_rows_before_one_row_of_the_paper(results: pd.DataFrame) -> None:
    table = table_8(pd.concat([results, results.assign(seed=4)]))
    assert [row.source for row in table.rows] == ["PHANTOM", "PHANTOM", "paper"]
    assert "seed 3" in table.rows[0].details
    assert "seed 4" in table.rows[1].details


def test_a_row_says_on_how_many_images_of_how_many_patients_it_rests(results: pd.DataFrame) -> None:
    assert table_8(results).rows[0].details.endswith("12 images, 6 patients")


def test_each_bone_has_the_mean_of_its_images(results: pd.DataFrame) -> None:
    table = table_8(results)
    lunate = results[(results["structure"] == "Lu") & (results["metric"] == "dsc")]["value"]
    assert cell(table, table.rows[0], "", "Lu").value == pytest.approx(lunate.mean())
    assert cell(table, table.rows[1], "", "Lu").value == 0.949


@pytest.mark.parametrize(("make", "metric"), [(table_10, "dsc"), (table_11, "nsd")])
def test_scored_bones_are_grouped_by_their_own_joint(
    results: pd.DataFrame, make: Callable[[pd.DataFrame], Table], metric: str
) -> None:
    table = make(results)
    bone = results[(results["structure"] == "Sca") & (results["metric"] == metric)]
    eroded, healthy = (bone[bone["group"] == group]["value"] for group in ("BE", "nonBE"))
    row = table.rows[0]
    assert cell(table, row, "Sca", "BE").value == pytest.approx(eroded.mean())
    assert cell(table, row, "Sca", "nonBE").value == pytest.approx(healthy.mean())
    assert cell(table, row, "Sca", "nonBE").stars == stars(mannwhitneyu(eroded, healthy).pvalue)
    assert cell(table, row, "Sca", "n BE").value == len(eroded)


def test_table_11_reads_the_papers_columns_by_name_not_by_position(results: pd.DataFrame) -> None:
    table = table_11(results)
    assert cell(table, table.rows[1], "Tr", "BE").value == 0.678
    assert cell(table, table.rows[1], "Sca", "BE").value == 0.829


def test_the_mean_overlap_is_over_defined_images_and_pairs(results: pd.DataFrame) -> None:
    table = table_12(changed(results, "Radius-Sca", "dsc", math.nan))
    values = results[results["structure"].isin(PAIRS) & (results["metric"] == "dsc")]["value"]
    assert cell(table, table.rows[0], "", "Mean").value == pytest.approx(values.iloc[1:].mean())
    assert cell(table, table.rows[0], "Count", "undefined").value == 1


def test_a_value_given_twice_is_refused(results: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="is given twice"):
        table_8(pd.concat([results, results.tail(400)]))


def test_a_foreign_spelling_is_refused_and_not_left_out(results: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"structure 'Trapzium'.*rename"):
        table_8(results.replace({"structure": {"Tr": "Trapzium"}}))


def test_tables_are_valid_json_with_undefined_as_null(results: pd.DataFrame) -> None:
    nothing = results[results["task"] == "bones"].copy()
    nothing.loc[nothing["structure"] == "Lu", "value"] = math.nan
    found = tables_as_dict(nothing, replicates=20)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["table_8"]["rows"][0]["values"]["Lu"] == {"value": None}
    assert again["table_4"]["rows"][0]["values"]["Count undefined"] == {"value": 12.0}
    assert len(again["table_4"]["rows"][0]["values"]["DSC All"]["interval"]) == 2


def test_a_frame_of_a_table_has_the_values(results: pd.DataFrame) -> None:
    frame = table_8(results).frame()
    assert frame.loc["Unet paper", ("", "MC5")] == 0.975
    assert list(frame.index) == ["unet PHANTOM", "Unet paper"]


def test_no_results_make_no_tables(results: pd.DataFrame) -> None:
    assert tables_as_dict(results.iloc[:0]) == {}
