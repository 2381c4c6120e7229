"""Recorded runs of the official command line in which ours differs, with the reason.

The replaying tests fail for a difference that is not listed here, and for an entry without a difference.
docs/deviations.md tells users the same.
"""

_FAILURE_TELLS = "a failure goes to standard error and exits 1, so that scripts notice"
_BROKEN_FILE = "a profile file that does not parse is named with line and column, and never overwritten"

DEVIATIONS: dict[str, str] = {
    "usage-conflict-config": "`topic create --config` is absent so far",
    "usage-dedup-count-alone": "deduplication is absent so far: it needs SmartModules",
    "usage-bad-param": "SmartModules are absent so far",
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
}
