"""The one exception that means: what the user gave cannot be used, and here is what to do."""

from collections.abc import Sequence
from difflib import get_close_matches


class InputError(ValueError):
    """What was given cannot be used.

    The message names the thing given (file, option, value), what was expected, and what to do.
    The command line prints it as one sentence and exits with status 2; any other exception is a
    defect of carpus and shows its traceback.
    """


def nearest(name: str, known: Sequence[str]) -> str:
    """What to say of a name that nobody knows: the nearest known one, or all of them.

    Example:
        >>> nearest("swinumamba", ["SwinUMamba", "Unet"])
        "did you mean 'SwinUMamba'?"
    """
    by_small_letters = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), by_small_letters, n=1, cutoff=0.5)
    return f"did you mean {by_small_letters[close[0]]!r}?" if close else f"expected one of {', '.join(known)}"
