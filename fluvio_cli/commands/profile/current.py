"""`fluvio profile` and `fluvio profile current`; scripts call it often, so it runs without Typer."""

from fluvio_cli.context import CliContext


def command(cli: CliContext) -> None:
    """Print the name of the profile that commands use; having none is no failure, as with the official tool.

    On a terminal a remark says where the choice came from.
    """
    from fluvio_profiles.errors import ConfigMissingError

    try:
        config = cli.load_config()
    except ConfigMissingError:
        cli.printer.message("no profile can be found")
        return
    chosen = cli.chosen_profile(config)
    if chosen is None:
        cli.printer.message("no current profile set")
        return
    name, chosen_by = chosen
    cli.printer.message(name)
    if cli.printer.stderr_is_terminal:
        place = cli.profile_path if chosen_by == "current profile" else chosen_by
        cli.printer.hint(f"chosen by {place}")
