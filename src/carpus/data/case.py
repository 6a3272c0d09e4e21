"""Identifiers of RAM-W600, `PPPP_SSSS_{L|R}`: patient, study, side; and those of other wrists, which are just names."""

import re
from dataclasses import dataclass

from carpus.anatomy import Side, parse_side
from carpus.errors import InputError

_PATTERN = re.compile(r"(?P<patient>\d+)_(?P<study>\d+)_(?P<side>[LRlr])", re.ASCII)


@dataclass(frozen=True, order=True)
class CaseId:
    """One wrist at one visit.

    Example:
        >>> case = CaseId.parse("0035_0001_L")
        >>> case.patient, case.study, case.side, str(case)
        ('0035', '0001', <Side.LEFT: 'L'>, '0035_0001_L')
    """

    patient: str
    study: str
    side_letter: str

    @classmethod
    def parse(cls, text: str) -> "CaseId":
        """The identifier from text.

        Raises:
            InputError: Not of the form `PPPP_SSSS_{L|R}`.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InputError(f"identifier {text!r} is not of the form PPPP_SSSS_L or PPPP_SSSS_R; rename it")
        return cls(match["patient"], match["study"], match["side"].upper())

    @property
    def side(self) -> Side:
        """The side of the body."""
        return parse_side(self.side_letter)

    def __str__(self) -> str:
        return f"{self.patient}_{self.study}_{self.side_letter}"


def identifier(text: str) -> str:
    """The name of a wrist as results carry it: RAM-W600's form with a capital letter for the side, others as they are.

    Example:
        >>> identifier("0035_0001_l"), identifier("wrist 7")
        ('0035_0001_L', 'wrist 7')
    """
    return str(CaseId.parse(text)) if _PATTERN.fullmatch(text) else text


def patient_of(name: str) -> str:
    """The patient that a wrist's name tells; the name itself where it is not in RAM-W600's form.

    Example:
        >>> patient_of("0035_0001_L"), patient_of("wrist 7")
        ('0035', 'wrist 7')
    """
    return CaseId.parse(name).patient if _PATTERN.fullmatch(name) else name
