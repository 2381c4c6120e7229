"""What the failures of reports mean: a part of `fluvio_cli.explanations`."""

from fluvio_cli.explanation import Explanation

EXPLANATIONS: dict[str, Explanation] = {
    "report": Explanation(
        "A report, or an archive of `--bundle`, cannot be written where it was to go.",
        ("the directory is not there", "a file there may not be written", "the disk is full"),
        ("make the directory before, as reports make none", "`--junit` and `--bundle` name files"),
    ),
}
