"""`fluvio profile` and `fluvio profile current`; shell prompts call it, so it runs without Typer."""

from fluvio_cli.context import CliContext


def command(cli: CliContext) -> None:
    """Print the name of the current profile; having none is no failure, as with the official tool."""
    from fluvio_profiles.errors import ConfigMissingError

    try:
        name = cli.load_config().current_profile
    except ConfigMissingError:
        cli.printer.message("no profile can be found")
        return
    cli.printer.message("no current profile set" if name is None else name)
