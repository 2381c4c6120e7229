"""`fluvio profile validate`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.profile_check import ProfileCheck

_HEADERS = ("PROFILE", "CLUSTER", "ADDRESS", "TLS", "RESULT", "PLATFORM", "MS")
_DEFAULT_TIMEOUT_NS = 5_000_000_000


@rules(
    conflicts=(("profile_name", "all_"),),
    examples=(
        ("Is the cluster of the chosen profile there?", "fluvio profile validate"),
        ("Look at all of them, for two seconds each at most", "fluvio profile validate --all --timeout 2s"),
    ),
)
def command(
    ctx: typer.Context,
    profile_name: Annotated[
        str | None, typer.Argument(metavar="PROFILE_NAME", help="Profile to check; default: the one in use")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Check all profiles at once")] = False,
    timeout: Annotated[
        int | None,
        typer.Option(
            "--timeout",
            metavar="duration",
            parser=values.parse_duration_ns,
            help="How long each cluster may take to answer; 5s if not given",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
) -> int:
    """Check that profiles lead to clusters this program can talk to.

    Connects to the controller, which tells its version; nothing is changed. The exit code is 0 when all is
    well, 4 when a cluster cannot be reached, 7 when one is of another version than this program talks to.
    """
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table
    from fluvio_cli.profile_check import check_all, exit_code_of

    cli: CliContext = ctx.obj
    targets = _targets(cli, profile_name, every=all_)
    timeout_s = (_DEFAULT_TIMEOUT_NS if timeout is None else timeout) / 1e9
    asked = targets[0][0] or "the cluster" if len(targets) == 1 else f"{len(targets)} clusters"
    with cli.printer.busy(f"waiting for {asked}"):
        checks = check_all(targets, cli.client_id, timeout_s)
    if output == "table":
        cli.printer.data(render_table(_HEADERS, [_row(check) for check in checks]))
        for check in checks:
            if check.error is not None:
                cli.printer.error(f"{check.profile or check.endpoint}: {check.error}")
                if check.error.hint is not None:
                    cli.printer.hint(f"hint: {check.error.hint}")
    else:
        views: Any = [check.view() for check in checks]
        cli.printer.data(render_structured(views, output))
    return exit_code_of(checks)


def _targets(cli: CliContext, name: str | None, *, every: bool) -> list[Any]:
    """Names with a target, or with the error why there is none."""
    from fluvio_profiles.resolve import TargetOptions, resolve_target
    from fluvio_types.errors import FluvioError

    if name is None and not every:
        target = cli.target()
        return [(target.profile_name, target)]
    config = cli.load_config()
    found: list[Any] = []
    for each in sorted(config.profiles) if name is None else [name]:
        try:
            found.append((each, resolve_target(TargetOptions(profile=each), lambda: config)))
        except FluvioError as exc:
            if not every:
                raise
            found.append((each, exc))
    return found


def _row(check: "ProfileCheck") -> tuple[str, ...]:
    took = "" if check.milliseconds is None else str(check.milliseconds)
    return (
        check.profile or "",
        check.cluster or "",
        check.endpoint or "",
        check.tls or "",
        check.result,
        check.platform or "",
        took,
    )
