import carpus.metrics
from carpus.imaging import BoneMasks
from carpus.metrics import METRICS, score_bones


def test_every_metric_is_a_function_of_that_name_or_a_value_of_a_whole() -> None:
    others = {name for name in METRICS if not callable(getattr(carpus.metrics, name, None))}
    assert others == {"missed", "nsd_mm", "msd_mm", "assd_mm", "hd95_mm", "ap50", "ap75"}


def test_every_value_of_a_wrist_has_a_metric_of_its_task() -> None:
    nothing = BoneMasks.empty(height=2, width=2)
    found = {metric for _, metric, _ in score_bones(nothing, nothing, spacing_mm=1)}
    assert found == {name for name, metric in METRICS.items() if metric.task == "bones"}


def test_a_name_says_that_a_value_is_measured_in_millimetres() -> None:
    assert all(name.endswith("_mm") for name, metric in METRICS.items() if metric.unit == "mm")


def test_a_metric_is_filed_under_its_name() -> None:
    assert all(name == metric.name for name, metric in METRICS.items())
