"""`fluvio metadata`: what plugins and the official command line tell of themselves; hidden."""

import json

from fluvio_cli.context import CliContext

_PACKAGE = "fluvio/fluvio"
_TOLD = ("topic", "partition", "produce", "consume")
_PLUGIN_TIMEOUT_S = 5.0


def command(cli: CliContext) -> None:
    """Describe commands and plugins as JSON."""
    from fluvio_cli.command_table import ROOT
    from fluvio_types.version import __version__

    told: list[dict[str, object]] = [
        {
            "title": name,
            "package": _PACKAGE,
            "description": ROOT.members[name].help,
            "version": __version__,
        }
        for name in _TOLD
    ]
    for name in _plugin_words(cli):
        told += _of_plugin(cli, name)
    cli.printer.data(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _plugin_words(cli: CliContext) -> list[str]:
    from fluvio_cli.plugins import installed_plugins

    return sorted(installed_plugins(cli))


def _of_plugin(cli: CliContext, word: str) -> list[dict[str, object]]:
    """What `fluvio-<word> metadata` answers; nothing when it does not answer as plugins should."""
    import subprocess

    from fluvio_cli.plugins import find_plugin

    path = find_plugin(word, cli)
    if path is None:
        return []
    try:
        answer = subprocess.run(
            [path, "metadata"],
            capture_output=True,
            timeout=_PLUGIN_TIMEOUT_S,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
        told = json.loads(answer)
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    items = told if isinstance(told, list) else [told]
    return [item for item in items if isinstance(item, dict) and isinstance(item.get("title"), str)]
