import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpus.anatomy import Side
from carpus.data.case import CaseId
from carpus.errors import InputError


@given(st.from_regex(r"[0-9]{1,6}_[0-9]{1,6}_[LR]", fullmatch=True))
def test_an_identifier_reads_back_as_it_was_written(text: str) -> None:
    assert str(CaseId.parse(text)) == text


def test_a_small_letter_means_the_same_side() -> None:
    assert CaseId.parse("0035_0001_l") == CaseId.parse("0035_0001_L")
    assert CaseId.parse("0035_0001_r").side is Side.RIGHT


@pytest.mark.parametrize("text", ["", "0035_L", "0035_0001", "0035_0001_X", "0035_0001_L\n", "1_1_L.bmp", "٣_٤_L"])
def test_anything_else_is_refused_with_the_form_to_use(text: str) -> None:
    with pytest.raises(InputError, match="not of the form PPPP_SSSS_L or PPPP_SSSS_R; rename it"):
        CaseId.parse(text)


def test_cases_are_ordered_by_patient_then_study_then_side() -> None:
    texts = ["0001_0001_L", "0001_0001_R", "0001_0002_L", "0002_0001_L"]
    assert [str(case) for case in sorted(map(CaseId.parse, reversed(texts)))] == texts
