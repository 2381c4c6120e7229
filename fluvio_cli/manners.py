"""`--quiet`, `--verbose` and `--timeout`, which every command takes, before or after its name.

They are no parameters of any command: `app` adds them wherever a command has no flag of the same name, and
hands what was given to `settle`. A time that runs out is a Ctrl-C that says why: the command ends as if its
user had pressed it, so offsets are stored and started servers are stopped, and the exit code is 5.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fluvio_cli.grammar import Parameter

if TYPE_CHECKING:
    from fluvio_cli.output.printer import Printer


def _duration(text: str) -> tuple[str, float]:
    from fluvio_cli.values import parse_duration_ns

    nanoseconds = parse_duration_ns(text)
    if not nanoseconds:
        raise ValueError("it must be more than nothing")
    return text, nanoseconds / 1e9


OPTIONS = (
    Parameter("quiet", ("--quiet",), takes_value=False, help="Print results and errors, nothing else"),
    Parameter(
        "verbose",
        ("--verbose",),
        takes_value=False,
        help="Print what the client does, and what led to an error",
    ),
    Parameter(
        "timeout",
        ("--timeout",),
        "duration",
        parse=_duration,
        help="End the command with exit code 5 when it takes longer, such as 10s",
    ),
)


def beside(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Those of the options whose flags a command does not use itself."""
    taken = {flag for parameter in parameters for flag in parameter.flags}
    return tuple(option for option in OPTIONS if option.flags[0] not in taken)


def take(given: dict[str, Any], options: Sequence[Parameter]) -> dict[str, Any]:
    """Remove the values of `options` from what was given, and return them."""
    return {option.name: given.pop(option.name) for option in options if option.name in given}


def settle(given: Mapping[str, Any], printer: "Printer") -> None:
    """Do as the values say; later ones win."""
    if given.get("quiet"):
        printer.is_quiet = True
    if given.get("verbose"):
        printer.is_verbose = True
        _tell_more()
    if "timeout" in given:
        limit.start(*given["timeout"])


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The same from `FLUVIO_QUIET`, `FLUVIO_VERBOSE` and `FLUVIO_TIMEOUT`. Raises `UsageError`."""
    found: dict[str, Any] = {
        name: True for name in ("quiet", "verbose") if environment.get(f"FLUVIO_{name.upper()}")
    }
    named = environment.get("FLUVIO_TIMEOUT")
    if named:
        try:
            found["timeout"] = _duration(named)
        except ValueError as exc:
            from fluvio_cli.failures import UsageError

            raise UsageError(f"error: invalid value '{named}' for FLUVIO_TIMEOUT: {exc}") from None
    return found


def _tell_more() -> None:
    import logging

    if not logging.getLogger().handlers:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    root = logging.getLogger()
    root.setLevel(min(root.level or logging.INFO, logging.INFO))


class _Limit:
    """The one alarm clock of the process."""

    def __init__(self) -> None:
        self._text: str | None = None
        self.has_passed = False

    @property
    def text(self) -> str:
        """The limit, as it was typed."""
        return self._text or ""

    def start(self, text: str, seconds: float) -> None:
        """Ring after `seconds`; an earlier setting no longer counts."""
        import signal

        self._text = text
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop(self) -> None:
        """The command has ended."""
        if self._text is not None and not self.has_passed:
            import signal

            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: object) -> None:
        import signal

        self.has_passed = True
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)


limit = _Limit()
