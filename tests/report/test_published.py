import math

import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.metrics import acc, bacc, dor, f1, pre, sen, spc
from carpus.report.published import (
    PUBLISHED,
    published_confusions,
    published_imaging,
    published_parameters,
    published_scores,
    published_table,
    same_network,
)

BONES = [bone.abbreviation for bone in Bone]


@pytest.mark.parametrize(
    ("number", "models", "columns"),
    [(4, 13, 13), (5, 7, 9), (8, 13, 14), (9, 13, 14), (10, 13, 18), (11, 13, 18), (12, 13, 15), (13, 13, 15)],
)
def test_each_table_has_all_rows_and_columns(number: int, models: int, columns: int) -> None:
    table = published_table(number)
    assert table.shape == (models, columns)
    assert not table.isna().to_numpy().any()


def test_the_bone_tables_name_the_same_networks() -> None:
    names = [list(published_table(number).index) for number in PUBLISHED if number != 5]
    assert all(found == names[0] for found in names)


def test_columns_are_the_bones_and_the_pairs() -> None:
    assert list(published_table(8)) == list(published_table(9)) == BONES
    pairs = [pair_name(pair) for pair in OVERLAP_PAIRS]
    assert list(published_table(12)) == list(published_table(13)) == [*pairs, "Mean"]


@pytest.mark.parametrize(("number", "whole"), [(8, "DSC All"), (9, "NSD All")])
def test_the_bones_average_to_what_table_4_prints(number: int, whole: str) -> None:
    difference = published_table(number).mean(axis=1) - published_table(4)[whole]
    assert difference.abs().max() < 0.001


@pytest.mark.parametrize(("number", "by_bone"), [(10, 8), (11, 9)])
def test_eroded_and_healthy_bones_enclose_the_mean_of_all(number: int, by_bone: int) -> None:
    groups, everything = published_table(number), published_table(by_bone)
    for bone in ("Radius", "Ulna", "Lu", "Sca", "Tr", "MC1"):
        pair = groups[[f"{bone} BE", f"{bone} nonBE"]]
        # Print rounds; ten or more values of 1183 lie one off.
        assert (pair.min(axis=1) <= everything[bone] + 0.0035).all(), bone
        assert (pair.max(axis=1) >= everything[bone] - 0.0035).all(), bone


def test_balanced_accuracy_is_the_mean_of_sensitivity_and_specificity() -> None:
    table = published_table(5)
    assert list(table["BACC"]) == pytest.approx(list((table["SEN"] + table["SPC"]) / 2), abs=0.0011)


def test_stars_are_where_the_paper_has_them() -> None:
    best = published_table(4).loc["SwinUMamba"]
    assert (best["DSC P"], best["NSD P"]) == ("**", "*")
    marked = published_table(10)["MC1 P"]
    assert marked["UMambaBot"] == "***"
    assert marked["FPN"] == ""
    assert (marked != "").sum() == 11


def test_spot_values_are_the_papers() -> None:
    assert published_table(5).loc["MedMamba", "DOR"] == 3.841
    assert published_table(4).loc["TransUNet", "params_millions"] == 105.91
    assert published_table(11).loc["PSPNet", "Lu BE"] == 0.339
    assert published_table(12).loc["SegResNet", "Cap-MC3"] == 0
    assert published_table(13).loc["UKAN", "Tr-MC1"] == 0.671


@pytest.mark.parametrize("name", ["unet++", "UNet++", "unet_plus_plus", "UnetPlusPlus"])
def test_spellings_of_one_network_are_one(name: str) -> None:
    published = [other for other in published_table(4).index if same_network(name, str(other))]
    assert published == ["Unet++"]


def test_numbers_are_all_between_what_they_can_be() -> None:
    for number in (8, 9, 12, 13):
        values = published_table(number).to_numpy(float)
        assert np.all((values >= 0) & (values <= 1))


def test_parameters_are_found_by_any_spelling_and_undefined_for_other_networks() -> None:
    assert published_parameters("swin_umamba") == 59.89
    assert published_parameters("ResNet") == 0.70
    assert math.isnan(published_parameters("homemade"))


def test_the_rebuilt_counts_give_every_rate_of_table_5_again() -> None:
    table = published_table(5)
    rates = {"BACC": bacc, "F1": f1, "DOR": dor, "ACC": acc, "SEN": sen, "SPC": spc, "PRE": pre}
    for model, counts in published_confusions().items():
        for name, rate in rates.items():
            assert rate(counts) == pytest.approx(float(table[name].loc[model]), abs=0.00051), (model, name)


@pytest.mark.parametrize(("task", "images"), [("bones", (309, 44, 90)), ("erosion", (383, 56, 109))])
def test_every_joint_of_table_7_sums_to_the_images_of_its_split(task: str, images: tuple[int, int, int]) -> None:
    table = published_scores(task)
    assert list(table) == ["MC1", "Tr", "Sca", "Lu", "Radius", "Ulna"]
    for split, count in zip(("train", "val", "test"), images, strict=True):
        assert set(table.loc[split].to_numpy().sum(axis=0)) == {count}


def test_table_7_has_as_many_eroded_test_joints_as_the_confusion_matrices() -> None:
    test = published_scores("erosion").loc["test"]
    eroded = int(test.drop(index=0).to_numpy().sum())
    assert (eroded, int(test.loc[[0]].to_numpy().sum())) == (76, 578)


def test_table_6_tells_each_centre() -> None:
    table = published_imaging()
    assert list(table) == ["HU", "HMCRD", "SCGH", "DHA"]
    assert list(table.loc["Image size (px)"]) == ["2010 x 1670", "2010 x 1490", "2010 x 1490", "1744 x 2126"]
    assert table.loc["Resolution (mm/px)", "DHA"] == ""
