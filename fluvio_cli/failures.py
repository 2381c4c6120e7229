"""The one place where an exception becomes a message, a hint and an exit code.

With `-O json` the failure is one JSON object on standard error. Both forms, and all exit codes:
docs/exit-codes.md; what each failure means: `explanations`.
"""

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


class CommandTimeoutError(FluvioError):
    """`--timeout` ended the command."""

    kind = "timed-out"

    def __init__(self, limit: str) -> None:
        super().__init__(
            f"timed out: the command had not ended after {limit}",
            hint="`fluvio cluster status` tells whether the cluster answers; `--timeout` sets the limit",
        )
        self.limit = limit


class NotInTimeError(FluvioError):
    """What was asked for is under way, and has not come about in time."""

    kind = "timed-out"


class UnknownNameError(FluvioError):
    """A name that a command was given stands for nothing."""

    kind = "not-found"


class Failure(NamedTuple):
    """What to print to standard error (None: nothing), the exit code, and names for programs."""

    message: str | None
    hint: str | None
    exit_code: int
    slug: str
    kind: str


def describe(error: BaseException) -> Failure:
    """Say how `error` ends the command."""
    error = innermost(error)
    if isinstance(error, FluvioError):
        return Failure(str(error), error.hint, EXIT_CODES[error.kind], error.slug, error.kind)
    if isinstance(error, KeyboardInterrupt):
        return Failure(None, None, INTERRUPTED, "interrupted", "interrupted")
    if isinstance(error, BrokenPipeError):
        return Failure(None, None, DONE, "closed-pipe", "done")  # who reads has read enough
    if isinstance(error, OSError) and error.errno is not None:
        named = f"{error.filename}: " if error.filename is not None else ""
        text = f"{named}{error.strerror} (os error {error.errno})"
        return Failure(text, None, FAILED, "system-error", "failed")
    return Failure(
        f"unexpected {type(error).__name__}: {error}\n"
        f"this is a bug in fluvio-cli: please report it with what `{TRACEBACK_VARIABLE}=1 fluvio ...` shows",
        None,
        BUG,
        "bug",
        "bug",
    )


def report(error: BaseException, printer: "Printer", environment: "Mapping[str, str]") -> int:
    """Print `error` as `describe` says, return the exit code."""
    failure = describe(error)
    if environment.get(TRACEBACK_VARIABLE) and failure.exit_code not in (DONE, USAGE, INTERRUPTED):
        import traceback

        printer.error("".join(traceback.format_exception(error)).rstrip("\n"))
    if printer.errors_as_json and failure.message is not None:
        printer.error(as_json(failure))
        return failure.exit_code
    if failure.message is not None:
        printer.error(failure.message)
    if printer.is_verbose:
        for cause in _causes(error):
            printer.error(f"caused by: {cause}")
    hints = [] if failure.hint is None else [failure.hint]
    if failure.exit_code not in (DONE, USAGE, INTERRUPTED):
        hints.append(f"`fluvio explain {failure.slug}` says more")
    if hints and printer.stderr_is_terminal:
        printer.error("\nhint: " + "\n      ".join(hints))
    return failure.exit_code


def as_json(failure: Failure) -> str:
    """The stable form for programs, on one line: docs/exit-codes.md."""
    import json

    fields = {
        "code": failure.slug,
        "kind": failure.kind,
        "message": failure.message,
        "hint": failure.hint,
        "exit_code": failure.exit_code,
    }
    return json.dumps({"error": fields}, ensure_ascii=False)


def _causes(error: BaseException) -> list[str]:
    """What led to `error`, the nearest first."""
    found: list[str] = []
    cause = innermost(error).__cause__
    while cause is not None and len(found) < 10:
        found.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return found


def innermost(error: BaseException) -> BaseException:
    """Of a task group's errors the first expected one, else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [innermost(member) for member in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, FluvioError)), leaves[0])
