"""Explanations of failures of named clusters, snapshots and forks; part of the table in `explanations`."""

from fluvio_cli.explanation import Explanation

COPIES: dict[str, Explanation] = {
    "cluster-name-taken": Explanation(
        "A new cluster cannot have this name; nothing was started.",
        ("another cluster has it", "a profile or a cluster of the profile file has it, and leads elsewhere"),
        ("choose another name", "`fluvio cluster list` and `fluvio profile list` show those in use"),
    ),
    "copy-failed": Explanation(
        "The data of a cluster could not be copied; what was copied so far is gone again.",
        ("the disk is full", "a topic is made and deleted again and again"),
        ("make room, or name another place with `--to`", "`fluvio cluster shutdown`, then try again"),
    ),
    "nothing-to-copy": Explanation(
        "The first start of the cluster has not ended, so it has no data yet.",
        (),
        ("wait for `fluvio cluster start`", "if that was killed, run it again"),
    ),
    "snapshot-not-found": Explanation(
        "No snapshot of this name is in the directory.",
        ("it was made with `--to`",),
        ("`fluvio cluster snapshot --list`", "`--from DIR` says where it is"),
    ),
    "snapshot-exists": Explanation(
        "The snapshot would take the place of something that is there; nothing was changed.",
        (),
        ("choose another name", "remove the directory that the message names"),
    ),
    "snapshot-broken": Explanation(
        "A snapshot does not have the files that its manifest lists; nothing was changed.",
        ("files of it were removed or changed", "it was copied in part"),
        ("use another snapshot",),
    ),
    "restore-refused": Explanation(
        "The snapshot is not put back now; nothing was changed.",
        ("its cluster is running", "another cluster, or something else, is in its directory"),
        ("`fluvio cluster shutdown`", "`fluvio cluster fork SNAPSHOT NEW_NAME --snapshot`"),
    ),
    "restore-unfinished": Explanation(
        "A restore was killed half-way: the cluster is not started before it has come to its end.",
        (),
        ("run the same `fluvio cluster restore` again", "`fluvio cluster delete` gives the cluster up"),
    ),
}
