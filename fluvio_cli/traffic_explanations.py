"""Explanations of failures of `tap` and `generate`; part of the table in `explanations`."""

from fluvio_cli.explanation import Explanation

TRAFFIC: dict[str, Explanation] = {
    "generate-schema": Explanation(
        "The schema does not describe records; the message names the place.",
        ("a misspelt key or type", "a bound that is above the other", "a name that is no file"),
        ("docs/generate.md has all types of fields and their settings",),
    ),
    "tap-address": Explanation(
        "A tap cannot listen where it was told to.",
        ("another program has the port, maybe another tap", "the address is not one of this machine"),
        ("choose another port; `--listen :0` takes a free one and prints it",),
    ),
    "recording": Explanation(
        "A file is no recording of `fluvio tap`, or a part of it is damaged.",
        ("another file was meant", "a newer program made it"),
        ("`fluvio tap --record FILE` makes one, `fluvio tap --read FILE` shows it",),
    ),
    "unknown-api-name": Explanation(
        "A name after `fluvio tap --filter` is no API's.",
        (),
        ("the message has all names; `unknown` stands for keys without a name",),
    ),
}
