"""`fluvio top`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import failures, values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.profile_check import ProfileCheck
    from fluvio_profiles.resolve import Target

_MOST_CLUSTERS = 50
_CHECK_S = 3.0
_LEAST_NS = 100_000_000


class ScreenUnavailableError(FluvioError):
    """The live view cannot be shown here; its figures can be printed."""

    kind = "usage"


def parse_interval(text: str) -> float:
    """A parser for a duration of at least 100 ms, in seconds."""
    nanoseconds = values.parse_duration_ns(text)
    if nanoseconds < _LEAST_NS:
        raise ValueError("it must be 100ms or more")
    return nanoseconds / 1e9


@rules(
    examples=(
        ("See what goes on in the cluster of the current profile", "fluvio top"),
        ("Look at another one, every five seconds", "fluvio -P shop top --interval 5s"),
        ("The fastest topic, for a program", "fluvio top -O json | jq '.topics | max_by(.recordsPerSecond)'"),
    ),
)
def command(
    ctx: typer.Context,
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            metavar="duration",
            parser=parse_interval,
            help="Time between two samples, such as 500ms; 1s if not given",
        ),
    ] = 1.0,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice("screen", "json", "yaml", ignore_case=True),
            help="Live view, or one sample for programs",
        ),
    ] = "screen",
) -> int:
    """Watch a cluster: clusters, topics and their rates, SPUs, consumers' lag, the last records.

    The live view needs the package Textual, which `pip install 'fluvio-cli[tui]'` brings. It ends with q, Esc
    or Ctrl-C. The other formats need nothing: they print rates over one interval, and end.
    """
    from fluvio_cli.top.source import ClusterSource

    cli: CliContext = ctx.obj
    if output == "screen":
        _refuse_without_screen(cli)
    target = cli.target()
    source = ClusterSource(target, client_id=cli.client_id, timeout_s=cli.socket_wait_s)
    if output != "screen":
        cli.printer.data(_document(cli, target, source, interval, output))
        return failures.DONE
    from fluvio_cli.top.follow import Follower, Mailbox, watch_clusters
    from fluvio_cli.top.screen import TopApp

    mailbox = Mailbox()
    follower = Follower(source, mailbox, interval)
    clusters = watch_clusters(lambda: _checks(cli, target), mailbox, interval)
    app = TopApp(f"{target.profile_name or ''} at {target.endpoint}", mailbox, follower, clusters)
    app.run(mouse=False)  # the terminal's own selection of text goes on to work
    if app.failure is not None:
        raise app.failure
    return failures.BUG if app.return_code else failures.DONE


def _refuse_without_screen(cli: CliContext) -> None:
    from importlib.util import find_spec

    if find_spec("textual") is None:
        raise ScreenUnavailableError(
            "`top` needs the package Textual, which is not installed: use `pip install 'fluvio-cli[tui]'`",
            hint="`fluvio top -O json` works without it",
        )
    if not (cli.printer.takes_screen and cli.printer.stderr_is_terminal and cli.stdin.isatty()):
        raise ScreenUnavailableError(
            "`top` needs a terminal", hint="`fluvio top -O json` prints one sample and ends"
        )


def _document(cli: CliContext, target: "Target", source: Any, interval_s: float, output: str) -> str:
    import threading
    import time

    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.top.model import History

    history = History()
    with cli.printer.busy(f"measuring the cluster at {target.endpoint}"):
        try:
            begin = time.monotonic()
            history.take(source.take())
            checks = _checks(cli, target)
            threading.Event().wait(max(interval_s - (time.monotonic() - begin), 0.0))
            standing = history.take(source.take())
        finally:
            source.close()
    clusters = [check.view() for check in checks]
    return render_structured(
        {"profile": target.profile_name, "endpoint": target.endpoint}
        | standing.document()
        | {"clusters": clusters},
        output,
    )


def _checks(cli: CliContext, target: "Target") -> "Sequence[ProfileCheck]":
    """The states of the clusters that the user knows; of `target` first if it is none of them."""
    from fluvio_cli.profile_check import check_all
    from fluvio_profiles.resolve import TargetOptions, resolve_target

    found: list[Any] = [] if target.profile_name is not None else [(None, target)]
    try:
        config = cli.load_config()
    except FluvioError:  # none is needed to look at an address
        return check_all(found, cli.client_id, _CHECK_S)
    for name in sorted(config.profiles)[:_MOST_CLUSTERS]:
        try:
            found.append((name, resolve_target(TargetOptions(profile=name), lambda: config)))
        except FluvioError as exc:
            found.append((name, exc))
    return check_all(found, cli.client_id, _CHECK_S)
