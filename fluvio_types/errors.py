"""The root of every expected error.

Whatever can go wrong in normal use derives from `FluvioError`, is raised where the fact is known, and
carries a text for the user (`str(error)`: lower case, no full stop), attributes for programs, and in
`hint` the next step when there is one. Only `fluvio_cli/failures.py` prints errors, and makes an exit
code of their `kind`.
"""

TYPE_CHECKING = False  # `typing` is not imported for annotations: every command loads this module
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal[
        "failed",  # everything below apart
        "usage",  # the call itself makes no sense
        "not-found",  # what was named does not exist
        "cannot-connect",  # nobody answers at the address, or not as a server does
        "timed-out",  # an answer or a state did not come in time
        "unhealthy",  # something is there and does not work as it should
        "version-mismatch",  # this program and a server, or files, are too far apart
        "drift",  # two things that should be the same differ
    ]


class FluvioError(Exception):
    """An expected failure; `hint` tells what to do next, or is None; `kind` what sort of failure it is.

    Classes choose their kind; an instance may know better than its class.
    """

    kind: "Kind" = "failed"
    hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint

    @property
    def slug(self) -> str:
        """Its stable name, for programs and `fluvio explain`: `topic-not-found` of `TopicNotFoundError`."""
        return slug_of(type(self))


def slug_of(kind: type[FluvioError]) -> str:
    """The name of a class without `Error`, in lower case with hyphens; `failed` for what has no class."""
    if kind is FluvioError:
        return "failed"
    name = kind.__name__.removesuffix("Error")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class NotSupportedYetError(FluvioError):
    """Something Fluvio has and this program does not do yet."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"not supported yet: {what}", hint=hint)


class InvalidNameError(FluvioError):
    """A topic, SPU or SmartModule name breaks the naming rules."""
