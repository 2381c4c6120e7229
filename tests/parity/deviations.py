"""Every difference between our command line and the official one that is known, with the reason.

The tests fail for a difference that is not listed here, and for an entry without a difference.
docs/cli-parity.md is generated from this table: `python docs/generate_cli_parity.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.parity.comparing import Aspect, Difference


class Standing(StrEnum):
    """What will become of a difference."""

    ABSENT = "absent so far"  # to be built
    ON_PURPOSE = "on purpose"
    WORDING = "same meaning"  # judged by hand: the texts share too few words for the comparison


@dataclass(slots=True, frozen=True)
class Deviation:
    """One kind of difference at some subjects of one command; the subject "" is the command itself."""

    command: str
    subjects: tuple[str, ...]
    aspect: Aspect
    standing: Standing
    reason: str

    def covered(self) -> Iterator[tuple[str, str, Aspect]]:
        """The differences it stands for."""
        for subject in self.subjects:
            yield self.command, subject, self.aspect


_ITSELF = ("",)


def _absent(command: str, subjects: tuple[str, ...], reason: str) -> Deviation:
    return Deviation(command, subjects, Aspect.MISSING, Standing.ABSENT, reason)


def _extra(command: str, subjects: tuple[str, ...], reason: str) -> Deviation:
    return Deviation(command, subjects, Aspect.EXTRA, Standing.ON_PURPOSE, reason)


def _wording(command: str, subject: str, reason: str) -> Deviation:
    return Deviation(command, (subject,), Aspect.HELP, Standing.WORDING, reason)


_AS_IT_IS = "officially a local upgrade ignores it; here it changes the cluster, which else stays as it is"
_KEPT_FIGURES = "figures for programs, and for comparing with an earlier run"
_OWN_CLUSTER = "acts on one cluster's own directory; the official command ends every server of the user"
_SEVERAL = "several clusters live beside each other, each with its processes, ports, directories and profile"
_REFUSED_AT_ONCE = "an address that is none is a usage error, not a failure of the servers later"

DEVIATIONS = (
    _extra("fluvio", ("--version",), "every tool answers it"),
    _extra("fluvio", ("--quiet", "--verbose", "--timeout"), "for scripts; every command takes them as well"),
    _extra("fluvio benchmark matrix", ("--output", "--compare", "--fail-above"), _KEPT_FIGURES),
    _extra("fluvio benchmark producer", ("--output", "--compare", "--fail-above"), _KEPT_FIGURES),
    _extra(
        "fluvio benchmark producer", ("--rate", "--warm-up"), "latency says something at a given rate only"
    ),
    Deviation(
        "fluvio benchmark consumer", _ITSELF, Aspect.HIDDEN, Standing.ON_PURPOSE, "ours measures something"
    ),
    Deviation(
        "fluvio benchmark consumer", _ITSELF, Aspect.HELP, Standing.ON_PURPOSE, "ours measures something"
    ),
    _extra(
        "fluvio benchmark consumer",
        (
            *(
                "--num-records",
                "--record-size",
                "--num-samples",
                "--partitions",
                "--topic-name",
                "--keep-topic",
            ),
            *("--warm-up", "--output", "--compare", "--fail-above"),
        ),
        "ours measures something",
    ),
    _extra("fluvio benchmark end-to-end", _ITSELF, "how old records are when they arrive"),
    _extra("fluvio consumer describe", _ITSELF, "how much a consumer has still to read"),
    _extra("fluvio consumer reset", _ITSELF, "a consumer can be moved without deleting what is known of it"),
    _extra("fluvio plan", _ITSELF, "files say what a cluster shall have; this tells what it has not"),
    _extra("fluvio apply", _ITSELF, "files say what a cluster shall have; this makes it so"),
    _extra("fluvio export", _ITSELF, "what is there, in the form that `plan` and `apply` take"),
    _extra("fluvio top", _ITSELF, "what goes on in a cluster is seen while it does"),
    _extra("fluvio explain", _ITSELF, "a failure tells its next step"),
    _extra("fluvio completions powershell", _ITSELF, "one shell more"),
    _extra("fluvio completions install", _ITSELF, "one command instead of a page to read"),
    _extra("fluvio completions uninstall", _ITSELF, "what was installed can be taken away"),
    _extra(
        "fluvio __refresh", _ITSELF, "hidden; completions start it, so that no key press waits for a cluster"
    ),
    _extra("fluvio generate", _ITSELF, "demos, benchmarks and tests need records that look like real ones"),
    _extra("fluvio tap", _ITSELF, "shows to those who write clients what is said on the wire"),
    _extra("fluvio doctor", _ITSELF, "known failures are found, named and in part repaired"),
    _wording("fluvio", "--enable-client-cert", "mutual TLS is what a client certificate makes"),
    Deviation(
        "fluvio consume",
        ("--head", "--tail", "--start", "--end"),
        Aspect.VALUES,
        Standing.ON_PURPOSE,
        "offsets have 64 bits: records above 4,294,967,295 can be named",
    ),
    Deviation(
        "fluvio consume",
        ("--output",),
        Aspect.LISTED,
        Standing.ON_PURPOSE,
        "`ndjson`, from which records can be made again",
    ),
    _extra("fluvio consume", ("--on-evicted",), "a gap that retention made in the data can end the command"),
    Deviation(
        "fluvio consume",
        ("<topic>",),
        Aspect.REPEATABLE,
        Standing.ON_PURPOSE,
        "several topics are read at once",
    ),
    _extra("fluvio consume", ("--regex",), "topics can be named by a pattern"),
    _extra("fluvio consume", ("--count",), "the first records are often enough"),
    _extra(
        "fluvio consume", ("--since", "--until"), "people know when something happened, not at which offset"
    ),
    _extra("fluvio consume", ("--where",), "records can be looked for by what is in them"),
    _extra(
        "fluvio produce", ("--ndjson",), "records with keys and any bytes, as `consume -O ndjson` prints them"
    ),
    _wording("fluvio produce", "--compression", "`compress batches` is batch compression"),
    _extra("fluvio topic export", _ITSELF, "records leave a cluster, byte for byte"),
    _extra("fluvio topic import", _ITSELF, "and come into another one"),
    _extra("fluvio topic replay", _ITSELF, "a system can be tried with records as they came"),
    _extra("fluvio topic copy", _ITSELF, "real data for tests, without what is private in them"),
    _extra("fluvio topic diff", _ITSELF, "tells whether a copy is one, for scripts too"),
    _wording("fluvio topic delete", "--force", "internal topics need `--system`, and it is they that ask"),
    _extra("fluvio", ("--yes-i-mean",), "what destroys wants the name of a cluster that the user protects"),
    _extra(
        "fluvio profile add",
        ("--tls", "--enable-client-cert", "--domain", "--ca-cert", "--client-cert", "--client-key"),
        "a cluster with TLS can be added without editing the file",
    ),
    _extra("fluvio partition list", ("--topic",), "the partitions of one topic"),
    _extra("fluvio profile list", ("--show-secrets",), "private keys are hidden without it"),
    _extra("fluvio profile copy", _ITSELF, "other settings for a cluster, beside the old ones"),
    _extra("fluvio profile set", _ITSELF, "guards a cluster against mistakes, and describes it"),
    _extra("fluvio profile edit", _ITSELF, "the whole file, checked before it counts"),
    _extra("fluvio profile validate", _ITSELF, "tells whether profiles lead to clusters, for scripts too"),
    _extra("fluvio profile prompt", _ITSELF, "shows in the shell which cluster commands would change"),
    _extra("fluvio profile delete-profile", _ITSELF, "hidden alias of `delete`, beside `delete-cluster`"),
    Deviation(
        "fluvio cluster start",
        ("--sc-pub-addr", "--sc-priv-addr"),
        Aspect.VALUES,
        Standing.ON_PURPOSE,
        _REFUSED_AT_ONCE,
    ),
    Deviation(
        "fluvio cluster start",
        ("--sc-priv-addr",),
        Aspect.DEFAULT,
        Standing.ON_PURPOSE,
        "private ports are open to this machine only: whoever reaches them is taken for an SPU",
    ),
    _wording("fluvio cluster start", "--client-key", "it is the key of the certificate named above it"),
    _extra("fluvio cluster start", ("--spu-port-base",), "several clusters beside each other, free ports"),
    _extra("fluvio cluster start", ("--fsync",), "an acknowledgement may be worth more"),
    _extra("fluvio cluster start", ("--metrics",), "figures for Prometheus"),
    _extra("fluvio cluster start", ("--consumer-offset-ttl",), "no consumer loses its place to retention"),
    _extra("fluvio cluster resume", ("--data-dir",), _OWN_CLUSTER),
    _extra("fluvio cluster delete", ("--data-dir",), _OWN_CLUSTER),
    _extra("fluvio cluster shutdown", ("--data-dir",), _OWN_CLUSTER),
    _extra("fluvio cluster run", _ITSELF, "a cluster for one command, as tests need it"),
    _extra("fluvio cluster stop", _ITSELF, "hidden alias of `shutdown`"),
    Deviation(
        "fluvio cluster upgrade",
        ("--sc-pub-addr", "--sc-priv-addr"),
        Aspect.VALUES,
        Standing.ON_PURPOSE,
        _REFUSED_AT_ONCE,
    ),
    Deviation(
        "fluvio cluster upgrade",
        ("--sc-pub-addr", "--sc-priv-addr", "--data-dir", "--spu", "--rust-log", "--log-dir"),
        Aspect.DEFAULT,
        Standing.ON_PURPOSE,
        _AS_IT_IS,
    ),
    _wording("fluvio cluster upgrade", "--sc-pub-addr", _AS_IT_IS),
    _wording("fluvio cluster upgrade", "--data-dir", _OWN_CLUSTER),
    _wording("fluvio cluster upgrade", "--client-key", "it is the key of the certificate named above it"),
    _wording("fluvio cluster upgrade", "--skip-checks", "the check of an upgrade is that of the metadata"),
    _extra("fluvio cluster upgrade", ("--fsync", "--consumer-offset-ttl"), "they are settings of a start"),
    _extra(
        "fluvio cluster spu unregister",
        ("--force",),
        "the only copy of records is not put out of reach by mistake",
    ),
    *(
        _extra(f"fluvio cluster {command}", ("--name",), _SEVERAL)
        for command in (
            *("start", "resume", "upgrade", "delete", "check", "diagnostics", "status", "shutdown"),
        )
    ),
    _extra(
        "fluvio cluster diagnostics",
        ("--output", "--data-dir"),
        "CI wants the archive at a place that it knows, also of a cluster that no profile leads to",
    ),
    _extra(
        "fluvio cluster start",
        ("--foreground", "--advertise", "--bundle"),
        "for containers and CI: a process that stays, clients elsewhere, what a failure leaves",
    ),
    _extra("fluvio cluster check", ("--junit",), "CI systems show the checks as test results"),
    _extra("fluvio cluster list", _ITSELF, _SEVERAL),
    _extra("fluvio cluster snapshot", _ITSELF, "data can be kept as they are, and gone back to"),
    _extra("fluvio cluster restore", _ITSELF, "data can be kept as they are, and gone back to"),
    _extra("fluvio cluster fork", _ITSELF, "to try something with real data, and not on them"),
    _extra("fluvio cluster status", ("--output",), "a health check for scripts"),
    _extra("fluvio cluster health", _ITSELF, "says whether records can be stored, not only who is there"),
)


def unlisted(found: Iterable[Difference], table: Iterable[Deviation] = DEVIATIONS) -> list[Difference]:
    """Differences that the table does not know."""
    known = {key for deviation in table for key in deviation.covered()}
    return [difference for difference in found if difference.key not in known]


def outlived(
    found: Iterable[Difference], table: Iterable[Deviation] = DEVIATIONS
) -> list[tuple[str, str, Aspect]]:
    """Entries of the table that no difference has any more."""
    there = {difference.key for difference in found}
    return [key for deviation in table for key in deviation.covered() if key not in there]
