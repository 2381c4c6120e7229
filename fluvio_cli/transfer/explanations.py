"""What failures of `topic export|import|replay|copy|diff` mean: a part of `fluvio_cli.explanations`."""

from fluvio_cli.explanation import Explanation

_ALONE = "let nobody else write to the topic until it is done"

TRANSFERS = {
    "damaged-export": Explanation(
        "A file of records is cut or damaged; the message says up to where it is good.",
        (
            "the export was interrupted",
            "the file was copied in part",
            "a disk or a transfer has changed bytes",
        ),
        (
            "`fluvio topic export TOPIC FILE --resume` completes a file that was cut",
            "what was good before the damage is in the topic, when it was an import",
        ),
    ),
    "file-exists-already": Explanation(
        "The file to export to is there; it was left as it is.",
        (),
        ("`--resume` goes on with what is in it, `--force` replaces it",),
    ),
    "other-topic": Explanation(
        "The file holds other records than those that were to follow; it was left as it is.",
        ("the file is of another topic or has another form", "the topic was deleted and made again"),
        ("export to another file",),
    ),
    "nothing-to-resume": Explanation(
        "No interrupted import of this file into this topic is known, and what the topic has is not how the "
        "file begins: nothing was sent.",
        (
            "it was never begun",
            "the topic had records before, and the import is done",
            "the file or its note was moved",
            "standard input cannot be read again",
        ),
        ("leave out `--resume` to store all records of the file behind what is there",),
    ),
    "import-running": Explanation(
        "Another process is importing this file into this topic: both together would store records twice.",
        (),
        ("wait until it has ended", "end it, and go on with `--resume`"),
    ),
    "import-interrupted": Explanation(
        "An import of this file into this topic was interrupted: records would be stored twice.",
        (),
        ("`--resume` goes on with it", "the hint names the file to delete to begin anew"),
    ),
    "import-state": Explanation(
        "Nobody can tell which records are stored already, so nothing more was sent.",
        (
            "somebody else has written to the topic since",
            "the file or the topic is not what it was",
            "`--keep-time` was given at the start and not now, or the other way",
        ),
        (_ALONE, "delete the topic and begin anew"),
    ),
    "no-topic-named": Explanation(
        "The file does not say which topic its records are of.",
        ("it is empty", "it was written by hand"),
        ("name the topic behind the file",),
    ),
    "missing-partitions": Explanation(
        "The topic has fewer partitions than the records need, which keep theirs.",
        (),
        ("`fluvio topic add-partition` adds what is missing", "or create another topic with `--create`"),
    ),
    "file-settings": Explanation(
        "A topic cannot be created by what the file says, or does not say, about it.",
        ("JSON lines come from standard input",),
        ("create the topic before: `fluvio topic create NAME -p COUNT`",),
    ),
    "same-place": Explanation(
        "A topic was to be copied to itself.",
        ("two profiles name the same cluster",),
        ("`fluvio profile list` shows the addresses",),
    ),
    "not-maskable": Explanation(
        "A record that was to be masked is no JSON: neither it nor what follows was copied.",
        (),
        ("`--where '@'` copies the records that are JSON and leaves out the others",),
    ),
    "topics-differ": Explanation(
        "Two topics are not the same; what was printed says in what.",
        (),
        ("`--ignore offsets`, `--ignore settings` or `--ignore content` leaves one of them out",),
    ),
}
