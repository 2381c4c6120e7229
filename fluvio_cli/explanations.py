"""What each failure means, its usual causes and what to do: the text of `fluvio explain`.

By the failure's name (`FluvioError.slug`), and by exit code. A test asks for an entry for every failure that
a command can end with, and that no entry is left over; docs/exit-codes.md is generated from these tables.
"""

from fluvio_cli import failures
from fluvio_cli.copy_explanations import COPIES
from fluvio_cli.declared.explanations import EXPLANATIONS as _DECLARED
from fluvio_cli.explanation import Explanation
from fluvio_cli.reports.explanations import EXPLANATIONS as _REPORTS
from fluvio_cli.top.explanations import EXPLANATIONS as _TOP
from fluvio_cli.traffic_explanations import TRAFFIC
from fluvio_cli.transfer.explanations import TRANSFERS

_STATUS = "`fluvio cluster status` tells whether the cluster of the current profile answers"
_SERVER_OUTPUT = "the output of the servers says more: `flv_sc.log` and `spu_log_*.log` in `~/.fluvio/log`"
_REPORT = "report it, with what `FLUVIO_TRACEBACK=1 fluvio ...` prints and the versions of `fluvio version`"

EXIT_CODES: dict[int, tuple[str, str]] = {
    failures.DONE: ("done", "the command did what was asked; also when nobody reads its output any more"),
    failures.FAILED: ("failed", "an expected failure that has no exit code of its own"),
    failures.USAGE: ("usage", "the command line breaks the grammar; nothing was done"),
    failures.NOT_FOUND: (
        "not-found",
        "a topic, partition, profile, cluster or plugin that was named is not there",
    ),
    failures.CANNOT_CONNECT: (
        "cannot-connect",
        "nobody answers at the address, or not as a Fluvio server does",
    ),
    failures.TIMED_OUT: ("timed-out", "an answer or a state did not come in time, or `--timeout` has passed"),
    failures.UNHEALTHY: ("unhealthy", "the cluster answers, and does not work as it should"),
    failures.VERSION_MISMATCH: ("version-mismatch", "this program and the cluster are too far apart"),
    failures.DRIFT: ("drift", "two things that were to be the same differ"),
    failures.BUG: ("bug", "a fault of this program"),
    failures.INTERRUPTED: ("interrupted", "Ctrl-C or SIGTERM"),
}

BY_NAME: dict[str, Explanation] = {
    **TRANSFERS,
    **_REPORTS,
    # --- reaching a cluster -------------------------------------------------------------------------------
    "connection-failed": Explanation(
        "No connection to the address could be made; nothing was sent.",
        (
            "the cluster is not running",
            "the profile names an old address",
            "a firewall, or a host that is unknown",
        ),
        (
            _STATUS,
            "start one with `fluvio cluster start`, or continue one with `fluvio cluster resume`",
            "`fluvio profile list` shows the addresses, `fluvio profile switch NAME` takes another",
        ),
    ),
    "connection-lost": Explanation(
        "The connection ended while an answer was awaited: what was asked may or may not have been done.",
        ("the server was stopped or has crashed", "the network broke", "the server refused what it was sent"),
        (_STATUS, _SERVER_OUTPUT, "look at what is there before you repeat a command that changes something"),
    ),
    "handshake": Explanation(
        "Something listens at the address, and does not speak Fluvio's protocol.",
        (
            "another program has the port",
            "the server wants TLS, or has none",
            "it has as many connections as it takes",
        ),
        (
            "check the address: `fluvio profile list`",
            "with TLS, use `--tls` or a profile that has it",
            _SERVER_OUTPUT,
        ),
    ),
    "incompatible-server": Explanation(
        "The server speaks no version of a request that this program knows.",
        ("the cluster is much older or newer than this program",),
        ("`fluvio version` shows both versions", "upgrade the older one"),
    ),
    "response-timeout": Explanation(
        "An answer did not come in time; what was asked may or may not have been done.",
        ("the server is overloaded, stopped or cut off", "a disk of the server hangs"),
        (_STATUS, "`FLV_SOCKET_WAIT=SECONDS` sets how long an answer is awaited (60)"),
    ),
    "metadata-timeout": Explanation(
        "The controller did not tell what was needed, such as the leader of a partition.",
        ("the controller is busy or hangs", "no SPU leads the partition"),
        (
            _STATUS,
            "`fluvio partition list` shows leaders",
            "`FLV_METADATA_TIMEOUT=MILLISECONDS` sets the limit",
        ),
    ),
    "command-timeout": Explanation(
        "The time of `--timeout` or FLUVIO_TIMEOUT has passed; the command ended as by Ctrl-C.",
        ("the cluster is slow or hangs", "the limit is too short for what was asked"),
        (_STATUS, "give more time, or none: a command without the option waits as long as it makes sense"),
    ),
    "leader-unavailable": Explanation(
        "The partition exists, and no SPU that leads it can be asked.",
        ("its SPU is offline", "the SPU has as many partitions as it takes"),
        (
            "`fluvio cluster spu list` shows which SPUs are online",
            "`fluvio partition list` shows leaders",
            _SERVER_OUTPUT,
        ),
    ),
    "not-leader": Explanation(
        "The SPU that was asked does not lead the partition.",
        ("the partition is just being opened or moved", "its SPU was restarted"),
        ("try again in a moment", "`fluvio partition list` shows leaders"),
    ),
    "not-ready-yet": Explanation(
        "What is needed is not known yet.", ("the cluster is just starting",), (_STATUS,)
    ),
    # --- topics and records -------------------------------------------------------------------------------
    "topic-not-found": Explanation(
        "The cluster has no topic of this name.",
        ("a misspelt name", "another cluster than you think: the profile decides"),
        (
            "`fluvio topic list` shows the topics, `fluvio profile` the current profile",
            "`fluvio topic create NAME`",
        ),
    ),
    "no-topic-matches": Explanation(
        "The cluster has no topic whose whole name one of the patterns matches.",
        (
            "the pattern is that of a part: `orders` does not match `orders-eu`, `orders.*` does",
            "an internal topic, which only a pattern matches that is its very name",
        ),
        ("`fluvio topic list` shows the topics",),
    ),
    "bad-pattern": Explanation(
        "What was given with `--regex` is no regular expression.",
        ("`*` alone, as for file names: write `.*`",),
        ("put the pattern in single quotation marks, so that the shell leaves it as it is",),
    ),
    "topic-already-exists": Explanation(
        "There is a topic of this name; it was left as it is.",
        (),
        ("`fluvio topic describe NAME` shows its settings", "choose another name, or delete the topic first"),
    ),
    "topic-not-provisioned": Explanation(
        "The topic was created, but its partitions did not come online in time.",
        ("an SPU is offline", "more replicas are wanted than there are SPUs"),
        ("`fluvio topic list` tells the reason", "`fluvio cluster spu list` shows which SPUs are online"),
    ),
    "topic-deleted": Explanation(
        "The topic was deleted while it was read or written.",
        (),
        ("`fluvio topic list` shows what is there",),
    ),
    "invalid-topic": Explanation(
        "The name or the settings of a topic were refused.",
        (
            "names have 1 to 63 characters: a-z, 0-9 and hyphens, none at an end",
            "settings contradict each other",
        ),
        ("`fluvio topic create --help` has the rules",),
    ),
    "invalid-name": Explanation(
        "A name breaks the rules.",
        ("names have 1 to 63 characters: a-z, 0-9 and hyphens, none at an end",),
        (),
    ),
    "partition-not-found": Explanation(
        "The topic has no partition of this number; they are counted from 0.",
        (),
        ("`fluvio partition list` shows them", "`fluvio topic add-partition` adds some"),
    ),
    "partition-full": Explanation(
        "The disk of the SPU is full: it takes no records, and goes on serving those it has.",
        ("retention is longer than the disk is large", "something else fills the disk"),
        (
            "free space: the SPU takes records again by itself",
            "shorten retention, or set `--max-partition-size`",
        ),
    ),
    "message-too-large": Explanation(
        "A batch is larger than the cluster takes.",
        ("a record or batch is larger than 32 MiB, or than a segment of the topic",),
        ("make batches smaller (`--batch-size`)", "create the topic with a larger `--segment-size`"),
    ),
    "record-too-large": Explanation(
        "A record does not fit into a request; sizes are before compression.",
        (),
        ("raise `--max-request-size`", "make the record smaller, or store it elsewhere and send where it is"),
    ),
    "offset-evicted": Explanation(
        "Retention has removed the records at this offset.",
        ("the consumer was away for longer than records are kept",),
        (
            "start at the offset that the message names, or with `--beginning`",
            "`--on-evicted earliest` goes on by itself",
        ),
    ),
    "damaged-records": Explanation(
        "Records are damaged on the disk of the SPU; those before and after can be read.",
        ("the disk, or what is below it, has lost or changed bits",),
        (
            "go on behind them: the hint names the offset",
            "produce them again from their source",
            "check the disk",
        ),
    ),
    "corrupt-batch": Explanation(
        "A batch arrived whose checksum does not fit its bytes.",
        ("the disk of the SPU or the network changes bits",),
        ("try again: if it stays, go on behind the batch with `--start`", "check the disk of the SPU"),
    ),
    "offset-gap": Explanation(
        "The next batch does not follow the last one: records are missing between them.",
        ("records were lost on the SPU",),
        (_SERVER_OUTPUT,),
    ),
    "request-timed-out": Explanation(
        "Records were written, but not confirmed in time: they may be there or not.",
        ("replicas are offline or slow",),
        ("`fluvio partition list` shows what replicas have",),
    ),
    "producer": Explanation(
        "Records could not be stored; the message tells why.",
        ("the SPU refused them", "it was away for longer than they are tried"),
        ("count what arrived before you send again: `fluvio partition list`", _STATUS),
    ),
    "producer-config": Explanation(
        "Settings of a producer contradict each other or the topic.",
        ("the topic demands another compression",),
        ("`fluvio topic describe NAME -O yaml` shows what the topic demands",),
    ),
    "consumer": Explanation("A stream of records cannot go on; the message tells why.", (), (_STATUS,)),
    "client-closed": Explanation("The client was closed during a call.", ("the command is ending",), ()),
    "no-record": Explanation(
        "A line of `produce --ndjson` is no record; the lines before it are stored.",
        ("it is no JSON object", "it has no `value`, or a member that records do not have"),
        ("look at the line that the message names", "`consume -O ndjson` shows the form"),
    ),
    "skipped-lines": Explanation(
        "Some lines of the input were no records and were left out; the others were sent.",
        ("`--key-separator` does not occur in them",),
        ("look at the lines that the messages name",),
    ),
    "template": Explanation(
        "The template of `--format` cannot be used.",
        (),
        ("`fluvio consume --help` shows what it may hold, such as '{{offset}} {{key}}={{value}}'",),
    ),
    "no-form": Explanation(
        "The result has no form in the format that was chosen.",
        ("TOML has no lists",),
        ("choose another with `-O`: table, json or yaml",),
    ),
    "not-a-terminal": Explanation(
        "The command wants to ask, and nobody can answer.",
        (),
        ("say yes beforehand, such as with `--force`",),
    ),
    "permission-denied": Explanation(
        "The cluster does not allow this.", ("it is read-only", "your certificate may not do it"), ()
    ),
    "not-supported-yet": Explanation(
        "Fluvio has this, and this program does not do it yet.",
        (),
        (
            "docs/cli-parity.md lists what is there",
            "the official client can do it against an official cluster",
        ),
    ),
    # --- SPUs ---------------------------------------------------------------------------------------------
    "spu-not-found": Explanation(
        "The cluster has no such SPU.", (), ("`fluvio cluster spu list` shows them",)
    ),
    "spu-already-exists": Explanation(
        "An SPU of this id or name is registered.",
        (),
        ("`fluvio cluster spu list` shows them", "choose another id"),
    ),
    # --- profiles -----------------------------------------------------------------------------------------
    "config-missing": Explanation(
        "There is no profile file.",
        ("no cluster was started or named yet", "FLV_PROFILE_PATH names another place"),
        (
            "`fluvio cluster start` writes one",
            "`fluvio profile add NAME HOST:PORT`",
            "`fluvio --cluster HOST:PORT` needs none",
        ),
    ),
    "config-broken": Explanation(
        "The profile file cannot be read; it was left as it is.",
        ("it was edited by hand",),
        ("mend it at the place that the message names, or move it away",),
    ),
    "config-write": Explanation(
        "The profile file could not be written; the old one is still there.",
        ("the directory cannot be written", "the disk is full", "another command holds the lock"),
        ("look at the permissions of `~/.fluvio`",),
    ),
    "profile-not-found": Explanation(
        "No profile has this name.", (), ("`fluvio profile list` shows the profiles",)
    ),
    "profile-unknown": Explanation(
        "The profile, or the cluster that it names, is not in the profile file.",
        (),
        ("`fluvio profile list` shows the profiles", "`fluvio profile add NAME HOST:PORT` adds one"),
    ),
    "directory-profile": Explanation(
        "A `.fluvio-profile` of the working directory or above is not the name of one of your profiles.",
        ("it came with somebody else's files", "the profile was renamed or deleted"),
        (
            "mend or remove the file that the message names",
            "`-P NAME` or FLUVIO_PROFILE goes before it",
            "`fluvio profile list` shows the names it may hold",
        ),
    ),
    "no-previous-profile": Explanation(
        "The command `fluvio profile switch -` does not know where to go back to.",
        (
            "no profile was switched to before",
            "it was deleted, or the official tool has written the profile file since",
        ),
        ("`fluvio profile list` shows the names",),
    ),
    "profile-exists": Explanation(
        "The name for a copy is taken.", (), ("take another name", "`fluvio profile delete` makes room")
    ),
    "config-changed": Explanation(
        "Another program wrote the profile file while it was being edited; the other's text was kept.",
        (),
        ("compare the copy that the message names with the profile file", "edit it again"),
    ),
    "edit-not-saved": Explanation(
        "What was written in the editor is no profile file, or could not be put in its place.",
        ("it does not parse", "a name leads nowhere", "another program changed the file meanwhile"),
        ("your text is in the file that the message names", "`fluvio profile edit` starts again"),
    ),
    "editor": Explanation(
        "The editor could not be started, or did not end well; the profile file is as it was.",
        ("VISUAL or EDITOR names a program that is not there",),
        ("`EDITOR=nano fluvio profile edit` takes another",),
    ),
    "read-only-cluster": Explanation(
        "You have marked the cluster as read-only, and the command would change it; nothing was sent.",
        ("the address belongs to a cluster that is read-only under another name",),
        (
            "`fluvio profile` tells which profile is used, and on a terminal who chose it",
            "`fluvio profile set NAME --normal` lifts it",
        ),
    ),
    "protected-cluster": Explanation(
        "You have marked the cluster as protected, and the command would destroy something.",
        (
            "nobody can be asked, since there is no terminal",
            "something else than the cluster's name was typed",
        ),
        (
            "`fluvio --yes-i-mean CLUSTER ...` stands for the typed name",
            "`fluvio profile set NAME --normal` lifts it",
        ),
    ),
    "other-cluster": Explanation(
        "The option `--yes-i-mean` names another cluster than the command would act on; nothing was sent.",
        ("FLUVIO_PROFILE or a `.fluvio-profile` chooses another profile than you think",),
        ("`fluvio profile` tells which is used", "`-P NAME` chooses for one call"),
    ),
    "cluster-silent": Explanation(
        "The cluster of a profile did not answer in the time that `fluvio profile validate` gives it.",
        ("the address is wrong, or a firewall drops what is sent", "the host's name is slow to look up"),
        ("`--timeout` waits longer", "`fluvio profile list` shows the addresses"),
    ),
    "certificate": Explanation(
        "A certificate or key that this side needs for TLS cannot be read or used.",
        (
            "it was moved, or the path is relative and this is another directory",
            "the key belongs to another certificate, or has a pass phrase",
        ),
        ("`fluvio profile edit` changes the path; absolute ones hold everywhere",),
    ),
    "no-active-profile": Explanation(
        "No profile was named, and none is the current one.",
        ("the current profile was deleted",),
        ("`fluvio profile switch NAME`", "`-P NAME` for one command"),
    ),
    "target": Explanation(
        "Options and profile file do not say which cluster is meant.",
        ("`--cluster` and `--profile` exclude each other", "options of TLS go with `--cluster` only"),
        ("`fluvio --help` has the options",),
    ),
    # --- clusters on this machine -------------------------------------------------------------------------
    "preflight": Explanation(
        "The checks before a start found reasons not to start; nothing was changed.",
        ("a port is taken", "a cluster is there already", "a directory cannot be written"),
        ("the message names cause and remedy of each", "`--skip-checks` starts all the same"),
    ),
    "not-ephemeral": Explanation(
        "A directory was to be removed that `fluvio cluster run` did not make; it was left alone.",
        ("somebody has changed the directory while the command ran",),
        ("look at the directory that the message names",),
    ),
    "downgrade": Explanation(
        "The cluster was run by a newer version than this program's; nothing was stopped or changed.",
        ("several installations of this program are on the search path",),
        ("use the newer program", "`fluvio version` shows this one's version"),
    ),
    "damaged-metadata": Explanation(
        "The controller of this version cannot read some of the metadata; nothing was stopped or changed.",
        ("a file was edited by hand", "a disk or a copy has damaged it"),
        ("mend or remove the files that the message names", "`--skip-checks` upgrades all the same"),
    ),
    "upgrade-refused": Explanation(
        "The cluster cannot be changed in this way by an upgrade; nothing was stopped or changed.",
        ("fewer SPUs were asked for", "two servers would want one port"),
        ("the message names the reason",),
    ),
    "installation-change": Explanation(
        "An upgrade keeps the kind of a cluster: with fixed topics or without.",
        (),
        ("delete the cluster and start another of the other kind",),
    ),
    "cluster-busy": Explanation(
        "Another command is starting, stopping or copying this cluster.",
        (),
        ("wait until it has ended, then try again",),
    ),
    "server-failed": Explanation(
        "A server has ended, or did not get ready in time.",
        (),
        ("the message shows the end of its output", _SERVER_OUTPUT),
    ),
    "provision-timeout": Explanation(
        "The servers run, but not all SPUs came online in time.",
        ("the machine is very busy", "an SPU has much to recover"),
        (_SERVER_OUTPUT, "FLV_CLUSTER_PROVISION_TIMEOUT sets how long is waited (seconds)"),
    ),
    "state-broken": Explanation(
        "The file with the state of a local cluster cannot be read; it was left as it is.",
        ("it was edited, or is of a later version",),
        ("the message names it; data stay beside it",),
    ),
    "no-local-cluster": Explanation(
        "No cluster of this machine is known at this place.",
        ("it was deleted", "it has another data directory"),
        ("`fluvio cluster start`", "name its `--data-dir`"),
    ),
    "not-local": Explanation(
        "The command works for clusters of this machine only, and the profile names another.",
        (),
        ("`fluvio profile switch local`", "`-P NAME` for one command"),
    ),
    "foreign-directory": Explanation(
        "The directory is not the data directory of a local cluster; nothing was deleted.",
        (),
        ("check `--data-dir`",),
    ),
    "stop-failed": Explanation(
        "Processes do not end, even by SIGKILL.",
        ("they wait for a disk or network file system that hangs",),
        (),
    ),
    "takeover": Explanation(
        "A directory of the official engine cannot be taken over; nothing was changed.",
        (),
        ("the message tells why",),
    ),
    "local-cluster": Explanation(
        "A local cluster cannot be started, stopped or found.", (), (_SERVER_OUTPUT,)
    ),
    **COPIES,
    # --- bytes --------------------------------------------------------------------------------------------
    "decode": Explanation(
        "A peer sent bytes that are not of Fluvio's protocol.",
        ("the peer is another program, or a version that is too new",),
        ("`fluvio version` shows both versions", _REPORT),
    ),
    "encode": Explanation("A value does not fit into a request.", (), (_REPORT,)),
    "batch": Explanation(
        "A batch of records breaks its format.", ("the peer or its disk is damaged",), (_SERVER_OUTPUT,)
    ),
    "frame-too-large": Explanation(
        "A peer announced more bytes than a frame may have.",
        ("it is no Fluvio server",),
        ("check the address",),
    ),
    "unpacked-size": Explanation(
        "A compressed batch unpacks to more than is allowed.", ("it was made to do harm",), ()
    ),
    "unknown-codec": Explanation(
        "A batch is compressed in a way that is not known.", ("a newer producer",), ()
    ),
    # --- the rest -----------------------------------------------------------------------------------------
    "failed": Explanation("An expected failure; the message tells why.", (), ()),
    "not-in-time": Explanation(
        "What was asked for is under way, and has not come about in time.",
        ("an SPU is offline or very busy", "an SPU has as many partitions as it takes"),
        ("`fluvio topic describe NAME` and `fluvio partition list` tell the state", _SERVER_OUTPUT),
    ),
    **TRAFFIC,
    "benchmark-settings": Explanation(
        "Settings of a benchmark make no sense, or a file of them cannot be used.",
        (),
        ("`fluvio benchmark producer --help` has the settings",),
    ),
    "benchmark-worse": Explanation(
        "A figure is worse than in the run that it was compared with.",
        ("something became slower", "other work on the machine: run it again"),
        ("`--fail-above` sets what is allowed",),
    ),
    "unhealthy": Explanation(
        "The cluster or this machine does not work as it should; what was printed says where.",
        ("an SPU is offline", "records cannot be stored or read", "a check of `fluvio doctor` has failed"),
        ("`fluvio doctor` names causes and remedies", "`fluvio cluster spu list`", _SERVER_OUTPUT),
    ),
    "topic-file": Explanation(
        "The file does not define a topic; the message names the key.",
        ("a misspelt key",),
        ("docs/topic-config.md lists the keys",),
    ),
    "table-format-file": Explanation(
        "The file does not define a table format; the message names the key.",
        ("a misspelt key",),
        ("docs/table-formats.md lists the keys",),
    ),
    **_DECLARED,
    "unknown-name": Explanation("Nothing has the name that was given.", (), ()),
    **_TOP,
    "usage": Explanation(
        "The command line breaks the grammar; nothing was done.",
        (),
        ("`--help` after the command shows what it takes",),
    ),
    "system-error": Explanation(
        "The system refused something: a file, a directory, a device.",
        ("it is not there, may not be used, or the disk is full",),
        ("the message names it and the system's reason",),
    ),
    "bug": Explanation("Something happened that nobody foresaw.", (), (_REPORT,)),
    "other": Explanation("The server refused; the message is its own.", (), (_SERVER_OUTPUT,)),
}

_BY_PREFIX: dict[str, Explanation] = {
    "smartmodule": Explanation(
        "Something is wrong with a SmartModule; the message tells what.",
        (),
        ("SmartModules run on official clusters only so far",),
    ),
    "deduplication": Explanation(
        "The topic's deduplication does not work.", (), ("official clusters only so far",)
    ),
    "mirror": Explanation(
        "Mirroring does not allow this.", (), ("mirrors exist on official clusters only so far",)
    ),
    "table-format": Explanation(
        "A table format is missing, or exists already.",
        (),
        ("`fluvio table-format list` shows which there are",),
    ),
    "topic": Explanation(
        "The topic is not as the command needs it.", (), ("`fluvio topic list` tells its state",)
    ),
    "partition": Explanation(
        "The partition is not as the command needs it.", (), ("`fluvio partition list`",)
    ),
    "spu": Explanation("Something is wrong with an SPU.", (), ("`fluvio cluster spu list`", _SERVER_OUTPUT)),
    "derived-stream": Explanation("Something is wrong with a derived stream.", (), ()),
    "managed-connector": Explanation("Something is wrong with a connector.", (), ()),
}


def explanation_of(name: str) -> Explanation | None:
    """The entry of a failure, or that of its group: `smartmodule-invalid` is a `smartmodule` failure."""
    found = BY_NAME.get(name)
    if found is not None:
        return found
    words = name.split("-")
    for count in range(len(words) - 1, 0, -1):
        found = _BY_PREFIX.get("-".join(words[:count]))
        if found is not None:
            return found
    return _SERVER_ERROR if name in _SERVER_ERRORS else None


_SERVER_ERRORS = frozenset(
    {
        "unknown-server-error",
        "offset-out-of-range",
        "storage-error",
        "invalid-create-request",
        "invalid-delete-request",
        "fetch-session-not-found",
        "offset-flush-request-error",
        "offset-management-disabled",
        "max-retry-reached",
        "compression-error",
        "system-spec-deletion-attempt",
        "system-spec-updating-attempt",
    }
)
_SERVER_ERROR = Explanation(
    "The server refused with a code of Fluvio's protocol; the message is its text.", (), (_SERVER_OUTPUT,)
)
