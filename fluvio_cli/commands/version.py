"""`fluvio version`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

_PLATFORM_TIMEOUT_S = 3.0


@rules(examples=(("For a program", "fluvio version --json"),))
def command(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("-j", "--json", help="Print as JSON")] = False,
) -> None:
    """Print version information.

    The cluster is asked for its version, for three seconds at most; not reaching it is no error.
    """
    import platform

    from fluvio_types.version import __version__

    cli: CliContext = ctx.obj
    facts = {
        "Fluvio CLI": __version__,
        "Fluvio CLI Arch": f"{platform.machine()}-{platform.system().lower()}",
    }
    if channel := cli.environment.get("FLUVIO_RELEASE_CHANNEL"):
        facts["Release Channel"] = channel
    facts["Fluvio Platform"] = _platform_version(cli)
    facts["Python"] = f"{platform.python_version()} ({platform.python_implementation()})"
    facts["OS Details"] = _os_details()
    if json:
        from fluvio_cli.output.structured import render_json

        rest = {label: value for label, value in facts.items() if label != "Fluvio CLI"}
        cli.printer.data(render_json({"name": "Fluvio CLI", "version": __version__, **rest}))
        return
    width = max(map(len, facts))
    cli.printer.data("".join(f" {label:<{width}} : {value} \n" for label, value in facts.items()))


def _platform_version(cli: CliContext) -> str:
    """The cluster's version with the name of the profile asked, or that there is none to be had."""
    from fluvio_cli.platform_probe import ask_platform_version
    from fluvio_types.errors import FluvioError

    try:
        target = cli.target()
    except FluvioError:
        return "Not available"
    try:
        with cli.printer.busy(f"asking {target.endpoint} for its version"):
            version = ask_platform_version(target, cli.client_id, _PLATFORM_TIMEOUT_S)
    except FluvioError:
        version = "Not available"
    return f"{version} ({target.profile_name or target.endpoint})"


def _os_details() -> str:
    import platform

    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:  # no such file on this system
        name = f"{platform.system()} {platform.mac_ver()[0]}".strip()
    return f"{name} (kernel {platform.release()})"
