"""The paper's Table 5 from its own SEN and SPC, on its 76 eroded and 578 healthy joints: all of it agrees."""

import pytest

from carpus.errors import InputError
from carpus.metrics import acc, bacc, confusion_from_rates, dor, f1, pre, sen, spc

ERODED, HEALTHY = 76, 578
COLUMNS = (bacc, f1, dor, acc, sen, spc, pre)
PRINTED = {
    "MobileViT": ("0.619", "0.299", "3.238", "0.771", "0.421", "0.817", "0.232"),
    "ResNet": ("0.597", "0.279", "3.142", "0.803", "0.329", "0.865", "0.243"),
    "MobileNet": ("0.557", "0.224", "1.615", "0.641", "0.447", "0.666", "0.150"),
    "LeViT": ("0.560", "0.218", "3.769", "0.858", "0.171", "0.948", "0.302"),
    "EfficientFormer": ("0.548", "0.207", "1.771", "0.766", "0.263", "0.832", "0.171"),
    "MedMamba": ("0.622", "0.314", "3.841", "0.806", "0.382", "0.862", "0.266"),
    "ConvKAN": ("0.585", "0.261", "2.824", "0.801", "0.303", "0.867", "0.230"),
}


@pytest.mark.parametrize("model", PRINTED)
def test_the_counts_give_what_the_paper_printed(model: str) -> None:
    printed = PRINTED[model]
    counts = confusion_from_rates(sen=float(printed[4]), spc=float(printed[5]), positives=ERODED, negatives=HEALTHY)
    assert (counts.tp + counts.fn, counts.fp + counts.tn) == (ERODED, HEALTHY)
    found = {rate.__name__: f"{rate(counts):.3f}" for rate in COLUMNS}
    expected = {rate.__name__: text for rate, text in zip(COLUMNS, printed, strict=True)}
    assert found == expected


@pytest.mark.parametrize(("sen_", "spc_"), [(42.1, 0.8), (0.4, -0.1), (float("nan"), 0.5)])
def test_percentages_are_refused(sen_: float, spc_: float) -> None:
    with pytest.raises(InputError, match="divide percentages by 100"):
        confusion_from_rates(sen=sen_, spc=spc_, positives=3, negatives=4)


@pytest.mark.parametrize(("positives", "negatives"), [(0, 4), (4, 0), (-1, 3)])
def test_rates_of_no_joint_are_refused(positives: int, negatives: int) -> None:
    with pytest.raises(InputError, match="expected 1 or more of both"):
        confusion_from_rates(sen=0.5, spc=0.5, positives=positives, negatives=negatives)
