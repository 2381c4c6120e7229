"""Entry point of `fluvio` and `flv`: gathers what a process has, runs the command line, ends the process.

Nothing is imported before it is known to be needed: `fluvio --version` loads this file and a constant.
"""

import os
import sys

_SIGINT = 2  # the same on all systems; importing `signal` would double `--version`
TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would double `--version`
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, TextIO

    from fluvio_cli.context import CliContext
    from fluvio_cli.output.printer import Printer


def version_line() -> str:
    """What `--version` prints."""
    from fluvio_types.version import __version__

    return f"fluvio {__version__}"


def main() -> int:
    """Run the command line of this process; returns the exit code. Ctrl-C ends it without a traceback."""
    try:
        return _main()
    except KeyboardInterrupt:  # while modules are loaded; a command's own is caught further inside
        _let_interrupts_end_us()
        os.kill(os.getpid(), _SIGINT)
        return 128 + _SIGINT
    finally:
        _let_interrupts_end_us()


def _main() -> int:
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(version_line() + "\n")
        return 0
    if arguments[:1] == ["__complete"]:
        from fluvio_completions.entry import main as complete

        return complete(arguments[1:], os.environ)
    if arguments[:2] == ["profile", "prompt"]:
        from fluvio_cli.prompt import show

        if show(arguments[2:]):
            return 0
    from fluvio_cli import failures
    from fluvio_cli.output.printer import Printer

    printer = Printer(*_output_streams(), os.environ)

    def make_context(root_options: "dict[str, Any]") -> "CliContext":
        return _context(root_options, printer)

    try:
        _start_logging()
        from fluvio_cli.app import run

        code = run(arguments, make_context)
        printer.flush()
        if _time_is_up():
            raise KeyboardInterrupt
    except BrokenPipeError:
        _forget_standard_output()
        return failures.DONE
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place where errors end
        code = _report(exc, printer)
    return code


def _output_streams() -> "tuple[TextIO, TextIO]":
    """Standard output and error; where one was closed before we began, a stream that goes nowhere.

    Its number must not stay free: a socket would get it, and what is printed would go to a server.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    return sys.stdout or open(os.devnull, "w"), sys.stderr or open(os.devnull, "w")


def _let_interrupts_end_us() -> None:
    """From now on Ctrl-C ends the process at once: nothing is left to be put in order."""
    import _signal  # type: ignore[import-not-found]  # built in; `signal` loads enums

    if _signal.getsignal(_SIGINT) is _signal.default_int_handler:
        _signal.signal(_SIGINT, _signal.SIG_DFL)


def _report(error: BaseException, printer: "Printer") -> int:
    from fluvio_cli import failures

    _let_interrupts_end_us()
    if _time_is_up() and isinstance(error, KeyboardInterrupt):
        from fluvio_cli.manners import limit

        error = failures.CommandTimeoutError(limit.text)
    try:
        printer.flush()
    except OSError:  # nobody reads, or the disk is full: what is left cannot be written either
        _forget_standard_output()
    try:
        code = failures.report(error, printer, os.environ)
        printer.flush()
    except BrokenPipeError:
        _forget_standard_output()
        code = failures.describe(error).exit_code
    return code


def _time_is_up() -> bool:
    """Whether `--timeout` has passed, for which the command was interrupted; it cannot pass from now on."""
    if (manners := sys.modules.get("fluvio_cli.manners")) is None:
        return False
    manners.limit.stop()
    return bool(manners.limit.has_passed)


def _context(root_options: "dict[str, Any]", printer: "Printer") -> "CliContext":
    from pathlib import Path

    from fluvio_cli.context import CliContext
    from fluvio_profiles.resolve import TargetOptions
    from fluvio_profiles.store import profile_path

    home = Path(os.path.expanduser("~"))
    try:
        directory = Path.cwd()
    except OSError:  # it was removed
        directory = None
    stdin = sys.stdin
    if stdin is None:  # it was closed before we began: whoever needs it says so
        stdin = open(os.devnull)  # noqa: SIM115
        stdin.close()
    return CliContext(
        environment=os.environ,
        home=home,
        profile_path=profile_path(os.environ, home),
        target_options=TargetOptions(**root_options),
        printer=printer,
        stdin=stdin,
        executable=_program(),
        directory=directory,
    )


def _program() -> "Path":
    from pathlib import Path

    try:
        return Path(sys.argv[0]).absolute()
    except OSError:  # there is no working directory
        return Path(sys.argv[0])


def _start_logging() -> None:
    """Log to standard error at the level that `FLUVIO_LOG` or `RUST_LOG` names; warnings otherwise."""
    wish = os.environ.get("FLUVIO_LOG") or os.environ.get("RUST_LOG")
    if not wish:
        return
    import logging

    names = {"trace": "DEBUG", "debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR"}
    words = wish.lower().replace("=", ",").split(",")
    level = next((names[word] for word in words if word in names), "WARNING")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _forget_standard_output() -> None:
    """Point standard output nowhere, so that the interpreter's last flush does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
