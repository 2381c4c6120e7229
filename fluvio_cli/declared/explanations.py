"""What the failures of `plan`, `apply` and `export` mean: a part of `fluvio_cli.explanations`."""

from fluvio_cli.explanation import Explanation

_KEYS = "docs/declared-state.md lists the keys; `fluvio export` prints what is there in this form"

EXPLANATIONS: dict[str, Explanation] = {
    "declaration": Explanation(
        "A file does not declare topics, table formats or profiles; the message names file and key.",
        ("a misspelt key", "`version: 1` is missing", "a name stands in two files"),
        (_KEYS, "`fluvio export --schema` prints a JSON schema, with which editors check such files"),
    ),
    "declared-drift": Explanation(
        "What is there is not what the files declare.",
        (
            "somebody changed one of the two",
            "the protocol has no change for the setting: of a topic only partitions can be added",
        ),
        (
            "`fluvio plan` shows each difference, and what keeps it from being applied",
            "`fluvio apply` makes the cluster as declared, `fluvio export` prints what is there",
        ),
    ),
    "not-applied": Explanation(
        "Some of what was declared could not be done; the lines before tell what was.",
        ("the cluster refused it", "the connection was lost on the way"),
        ("remove the cause and call `fluvio apply` again: it goes on from what is there",),
    ),
    "not-provisioned": Explanation(
        "All that was declared is stored, and some topics cannot be used yet.",
        ("there are fewer SPUs than a topic wants copies", "an SPU is offline"),
        (
            "`fluvio cluster spu list` shows the SPUs",
            "call `fluvio apply` again when they are there: it waits for the topics",
        ),
    ),
    "not-confirmed": Explanation(
        "The question whether to go on was not answered with `yes`; nothing was changed.",
        (),
        ("`--yes` does not ask",),
    ),
}
