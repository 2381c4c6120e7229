"""Plugins: `fluvio foo` runs an executable `fluvio-foo` when there is no command of that name."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_cli import failures

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext

_PREFIX = "fluvio-"


def find_plugin(word: str, cli: "CliContext") -> Path | None:
    """Look beside the running `fluvio`, then in PATH, then among the installed extensions."""
    import shutil

    if not word or "/" in word or os.sep in word:
        return None
    directories = [
        str(cli.executable.parent),
        cli.environment.get("PATH", ""),
        str(cli.extensions_directory),
    ]
    found = shutil.which(_PREFIX + word, path=os.pathsep.join(filter(None, directories)))
    return Path(found) if found else None


def run_plugin(word: str, arguments: Sequence[str], cli: "CliContext", similar: str | None) -> int:
    """Run the plugin and return its exit code, or the number of the signal that ended it."""
    plugin = find_plugin(word, cli)
    if plugin is None:
        place = cli.extensions_directory
        cli.printer.message(
            f"Unable to find plugin '{_PREFIX}{word}'. Make sure it is installed in \"{place}\"."
        )
        if similar is not None:
            cli.printer.hint(f"\nhint: {similar}")
        return failures.NOT_FOUND
    import subprocess

    cli.printer.flush()
    code = subprocess.run([plugin, *arguments], env=dict(cli.environment), check=False).returncode
    if code < 0:
        cli.printer.message(f"Extension killed via {-code} signal")
        return -code
    return code


def installed_plugins(cli: "CliContext") -> dict[str, str]:
    """Names of the installed extensions with a line for the root help; none of them is run."""
    try:
        files = sorted(cli.extensions_directory.iterdir())
    except OSError:
        return {}  # no such directory: nothing is installed
    return {
        file.name.removeprefix(_PREFIX): f"Plugin {file}"
        for file in files
        if file.name.startswith(_PREFIX) and os.access(file, os.X_OK)
    }
