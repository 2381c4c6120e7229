"""The one place where an exception becomes a message, a hint and an exit code."""

from typing import TYPE_CHECKING, NamedTuple

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluvio_cli.output.printer import Printer
    from fluvio_types.errors import Kind

DONE, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130
NOT_FOUND, CANNOT_CONNECT, TIMED_OUT, UNHEALTHY, VERSION_MISMATCH, DRIFT = 3, 4, 5, 6, 7, 8
EXIT_CODES: "Mapping[Kind, int]" = {
    "failed": FAILED,
    "usage": USAGE,
    "not-found": NOT_FOUND,
    "cannot-connect": CANNOT_CONNECT,
    "timed-out": TIMED_OUT,
    "unhealthy": UNHEALTHY,
    "version-mismatch": VERSION_MISMATCH,
    "drift": DRIFT,
}
TRACEBACK_VARIABLE = "FLUVIO_TRACEBACK"


class UsageError(FluvioError):
    """A command line that breaks the grammar; the text holds all blocks."""

    kind = "usage"


class Failure(NamedTuple):
    """What to print to standard error (None: nothing) and the exit code."""

    message: str | None
    hint: str | None
    exit_code: int


def describe(error: BaseException) -> Failure:
    """Say how `error` ends the command."""
    error = _innermost(error)
    if isinstance(error, FluvioError):
        return Failure(str(error), error.hint, EXIT_CODES[error.kind])
    if isinstance(error, KeyboardInterrupt):
        return Failure(None, None, INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return Failure(None, None, DONE)  # who reads has read enough
    if isinstance(error, OSError) and error.errno is not None:
        named = f"{error.filename}: " if error.filename is not None else ""
        return Failure(f"{named}{error.strerror} (os error {error.errno})", None, FAILED)
    return Failure(
        f"unexpected {type(error).__name__}: {error}\n"
        f"this is a bug in fluvio-cli: please report it with what `{TRACEBACK_VARIABLE}=1 fluvio ...` shows",
        None,
        BUG,
    )


def report(error: BaseException, printer: "Printer", environment: "Mapping[str, str]") -> int:
    """Print `error` as `describe` says, return the exit code."""
    failure = describe(error)
    if environment.get(TRACEBACK_VARIABLE) and failure.exit_code not in (DONE, USAGE, INTERRUPTED):
        import traceback

        printer.note("".join(traceback.format_exception(error)).rstrip("\n"))
    if failure.message is not None:
        printer.note(failure.message)
    if failure.hint is not None:
        printer.hint(f"\nhint: {failure.hint}")
    return failure.exit_code


def _innermost(error: BaseException) -> BaseException:
    """Of a task group's errors the first expected one, else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_innermost(member) for member in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, FluvioError)), leaves[0])
