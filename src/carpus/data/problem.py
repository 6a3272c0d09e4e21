"""One thing wrong with a dataset."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a dataset.

    Attributes:
        file: Path within the dataset.
        kind: A short fixed name, such as `mask-channels`.
        message: One sentence: which file, what is wrong, what to do.
        severity: `error` if results would be wrong or impossible, `warning` if they need a second look.
    """

    file: str
    kind: str
    message: str
    severity: Literal["error", "warning"] = "error"


def one_line(error: Exception) -> str:
    r"""What an error says, as a part of a sentence: its first sentence, on one line.

    Example:
        >>> one_line(ValueError("No data left.\nTry again."))
        'No data left'
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return text.partition(". ")[0].rstrip(".")
