"""The root of every expected error.

Whatever can go wrong in normal use derives from `FluvioError`, is raised where the fact is known, and
carries a text for the user (`str(error)`: lower case, no full stop), attributes for programs, and in
`hint` the next step when there is one. Only `fluvio_cli/failures.py` prints errors.
"""


class FluvioError(Exception):
    """An expected failure; `hint` tells what to do next, or is None."""

    hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class NotSupportedYetError(FluvioError):
    """Something Fluvio has and this program does not do yet."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"not supported yet: {what}", hint=hint)


class InvalidNameError(FluvioError):
    """A topic, SPU or SmartModule name breaks the naming rules."""
