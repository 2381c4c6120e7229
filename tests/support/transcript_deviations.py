"""Recorded runs of the official command line in which ours differs, with the reason.

The replaying tests fail for a difference that is not listed here, and for an entry without a difference.
docs/deviations.md tells users the same.
"""

_FAILURE_TELLS = "a failure goes to standard error and exits 1, so that scripts notice"
_BROKEN_FILE = "a profile file that does not parse is named with line and column, and never overwritten"
_ONE_COPY = "copies on several SPUs are not made yet: replication factors above 1 are refused"
_UNKNOWN_KEY = "an unknown key in a topic's file is an error, not ignored"
_EMPTY = "structured output of nothing is an empty list, not a sentence"

DEVIATIONS: dict[str, str] = {
    "usage-conflict-config": "mirrors and deduplication have no options here: they are not listed",
    "topic-config-unknown-key": _UNKNOWN_KEY,
    "topic-config-describe": _ONE_COPY,
    "partition-list-json": _ONE_COPY,
    "partition-list-yaml": _ONE_COPY,
    "topic-config-case": "compression types in a file may be written in any case",
    "usage-dedup-count-alone": "deduplication is absent so far: it needs SmartModules",
    "usage-conflict-F-O": "with `-O json` errors are JSON",
    "usage-bad-param": "SmartModules are absent so far",
    "usage-missing-pos-consume": "consume takes several topics",
    "usage-bad-consume-O": "`-O full-table` is absent so far, and is not offered",
    "usage-params-alone": "SmartModules are absent so far",
    "usage-transforms-line-bad": "SmartModules are absent so far",
    "usage-local-k8": "clusters on Kubernetes are absent so far",
    "root-version-flag": "`--version` prints the version",
    "nocfg-switch": _FAILURE_TELLS,
    "nocfg-delete": _FAILURE_TELLS,
    "nocfg-delete-cluster": _FAILURE_TELLS,
    "nocfg-profile-list-json": "structured output of nothing is an empty document, not a sentence",
    "nocfg-version": "no hash of an executable and no commit, but the Python that runs it",
    "nocfg-version-json": "as `version`",
    "version-channel": "as `version`",
    "version-refused": "as `version`",
    "profile-switch-missing": _FAILURE_TELLS,
    "profile-rename-missing": _FAILURE_TELLS,
    "profile-delete-missing": _FAILURE_TELLS,
    "profile-delete-cluster-used": _FAILURE_TELLS,
    "profile-delete-cluster-missing": _FAILURE_TELLS,
    "profile-delete": "warns about the current profile only when it was the current one",
    "broken-toml-1": _BROKEN_FILE,
    "broken-toml-2": _BROKEN_FILE,
    "broken-toml-4": "as `version`",
    "broken-toml-5": _BROKEN_FILE,
    "broken-toml-6": _BROKEN_FILE,
    "broken-noversion-1": _BROKEN_FILE,
    "broken-add-0": _BROKEN_FILE,
    "empty-file-1": _BROKEN_FILE,
    "empty-file-2": _BROKEN_FILE,
    "version-up": "as `version`",
    "version-up-json": "as `version`",
    "empty-topic-list-json": _EMPTY,
    "empty-topic-list-yaml": _EMPTY,
    "empty-partition-list-json": _EMPTY,
    "empty-partition-list-yaml": _EMPTY,
    "empty-consumer-list-json": _EMPTY,
    "empty-consumer-list-yaml": _EMPTY,
    "empty-tf-list-json": _EMPTY,
    "empty-tf-list-yaml": _EMPTY,
    "empty-topic-list-toml": "a list has no TOML form, whether it is empty or not",
    "spu-list-yaml": "the ports are free ones, not those of the recording",
    "topic-p2r2": _ONE_COPY,
    "topic-r3-dry": _ONE_COPY,
    "topic-describe": _ONE_COPY,
    "topic-describe-yaml": _ONE_COPY,
    "topic-list-many-json": "lists are sorted by name",
    "topic-list-many-yaml": _ONE_COPY,
    "topic-describe-json": "`ignoreRackAssignment` is written whatever its value",
    "topic-describe-missing": _FAILURE_TELLS,
    "topic-describe-missing-json": _FAILURE_TELLS,
    "topic-assigned-json": _FAILURE_TELLS,
    "topic-dedup": "deduplication is absent so far: it needs SmartModules",
    "produce-file-raw-missing": _FAILURE_TELLS,
    "produce-v": "says on standard error how many records were stored",
    "produce-keysep-v": "says on standard error how many records were stored",
    "produce-keysep-missing": _FAILURE_TELLS,
    "produce-amo-iso": "says on standard error that the flag has no effect",
    "consume-F-time": "the time is that of the record",
    "consume-js-full-table": "`-O full-table` is absent so far",
    "consume-bin-full-table": "`-O full-table` is absent so far",
    "consume-rustlog": "at this level nothing is logged",
    "topic-list-r3": _ONE_COPY,
    "assigned-json": "lists are sorted by name",
    "lc-consumers-back": "stored offsets survive a restart of the cluster",
    "lc-resume-running": "a cluster that runs is told of on standard error",
    "lc-resume-running-ci": "a cluster that runs is told of on standard error",
    "lc-resume-nothing-ci": _FAILURE_TELLS,
}

# Runs against a cluster that are not replayed at all, with the reason.
_OTHER_PORTS = "starts a cluster on the default ports; tests use free ones (test_cluster_commands.py)"
NOT_REPLAYED: dict[str, str] = {
    "start": _OTHER_PORTS,
    "start-twice": _OTHER_PORTS,
    "start-twice-ci": _OTHER_PORTS,
    "consume-sigint": "ends by a signal (test_produce_consume.py)",
}
