"""The one exception that means: what the user gave cannot be used, and here is what to do."""


class InputError(ValueError):
    """What was given cannot be used.

    The message names the thing given (file, option, value), what was expected, and what to do.
    The command line prints it as one sentence and exits with status 2; any other exception is a
    defect of carpus and shows its traceback.
    """
