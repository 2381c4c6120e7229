"""Explanations of failures of `top`; part of the table in `fluvio_cli.explanations`."""

from fluvio_cli.explanation import Explanation

EXPLANATIONS: dict[str, Explanation] = {
    "screen-unavailable": Explanation(
        "The live view of `fluvio top` cannot be shown here.",
        (
            "the package Textual is not installed",
            "input or output is no terminal: a pipe, a file, a job without one",
        ),
        (
            "`pip install 'fluvio-cli[tui]'` brings what it draws with",
            "`fluvio top -O json` needs neither, and prints one sample",
        ),
    ),
}
