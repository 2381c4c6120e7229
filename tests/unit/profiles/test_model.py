"""The profile file as values."""

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from fluvio_profiles.model import (
    Config,
    DocumentError,
    Installation,
    Tls,
    TlsPolicy,
    TlsSource,
    from_document,
    to_document,
)

FULL = """
version = "2.0"
current_profile = "prod"
client_id = "me"

[profile.prod]
cluster = "prod"
topic = "t"
partition = 3

[cluster.prod]
endpoint = "sc.example.com:9003"
use_spu_local_address = true

[cluster.prod.tls]
tls_policy = "verified"
tls_source = "files"

[cluster.prod.tls.certs]
domain = "sc.example.com"
key = "k"
cert = "c"
ca_cert = "ca"

[cluster.prod.metadata]
installation = "docker"
"""

KNOWN = {
    "version", "current_profile", "client_id", "profile", "cluster", "topic", "partition", "endpoint", "addr",
    "use_spu_local_address", "tls", "metadata", "tls_policy", "tls_source", "certs", "domain", "key", "cert",
    "ca_cert",
}  # fmt: skip

keys = st.text(min_size=1, max_size=8).filter(lambda key: key not in KNOWN)
toml_values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(keys, toml_values, max_size=3)


@given(extras, extras, extras, extras, extras, extras)
def test_unknown_keys_at_every_level_survive_a_rewrite(
    root: dict[str, Any],
    profile: dict[str, Any],
    cluster: dict[str, Any],
    tls: dict[str, Any],
    certs: dict[str, Any],
    metadata: dict[str, Any],
) -> None:
    document = tomllib.loads(FULL)
    document.update(root)
    document["profile"]["prod"].update(profile)
    document["cluster"]["prod"].update(cluster)
    document["cluster"]["prod"]["tls"].update(tls)
    document["cluster"]["prod"]["tls"]["certs"].update(certs)
    document["cluster"]["prod"]["metadata"].update(metadata)
    config = from_document(tomllib.loads(tomli_w.dumps(document)))
    config.add_and_select("local", "h:1", "local")
    config.delete_profile("local")
    del config.clusters["local"]
    config.current_profile, config.previous_profile = "prod", None
    assert tomllib.loads(tomli_w.dumps(to_document(config))) == document


def test_every_known_key_is_read() -> None:
    config = from_document(tomllib.loads(FULL))
    assert (config.version, config.current_profile, config.client_id) == ("2.0", "prod", "me")
    assert (config.profiles["prod"].topic, config.profiles["prod"].partition) == ("t", 3)
    cluster = config.clusters["prod"]
    assert cluster.use_spu_local_address
    assert (cluster.tls.policy, cluster.tls.source) == (TlsPolicy.VERIFIED, TlsSource.FILES)
    assert cluster.tls.certs is not None
    assert cluster.tls.certs.ca_cert == "ca"
    assert cluster.installation is Installation.DOCKER


def cluster_document(**entries: Any) -> dict[str, Any]:
    return {"version": "2.0", "profile": {}, "cluster": {"c": entries}}


def test_an_endpoint_alone_makes_a_cluster_without_tls() -> None:
    cluster = from_document(cluster_document(endpoint="h:1")).clusters["c"]
    assert (cluster.endpoint, cluster.tls, cluster.use_spu_local_address) == ("h:1", Tls(), False)


def test_the_older_key_addr_is_read_and_written_as_endpoint() -> None:
    config = from_document(cluster_document(addr="h:1"))
    assert to_document(config)["cluster"]["c"]["endpoint"] == "h:1"
    assert "addr" not in to_document(config)["cluster"]["c"]


@pytest.mark.parametrize(
    ("spelling", "policy"),
    [("disable", TlsPolicy.DISABLED), ("disabled", TlsPolicy.DISABLED), ("anonymous", TlsPolicy.ANONYMOUS)],
)
def test_policies_are_read_in_both_spellings(spelling: str, policy: TlsPolicy) -> None:
    document = cluster_document(endpoint="h:1", tls={"tls_policy": spelling})
    assert from_document(document).clusters["c"].tls.policy is policy


@pytest.mark.parametrize(
    ("metadata", "installation"),
    [
        ({}, Installation.K8),
        ({"installation": "local"}, Installation.LOCAL),
        ({"infinyon_cloud_cli": {}}, Installation.CLOUD),
        ({"installation": "balloon"}, None),
        ({"installation": {"odd": 1}}, None),
    ],
)
def test_installation_comes_from_metadata(
    metadata: dict[str, Any], installation: Installation | None
) -> None:
    document = cluster_document(endpoint="h:1", metadata=metadata)
    assert from_document(document).clusters["c"].installation is installation


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"profile": {}, "cluster": {}}, "`version` is missing"),
        ({"version": "2.0", "cluster": {}}, "`profile` is missing"),
        ({"version": "2.0", "profile": {}}, "`cluster` is missing"),
        ({"version": 2, "profile": {}, "cluster": {}}, "`version` must be a string"),
        ({"version": "2.0", "profile": {"p": {}}, "cluster": {}}, "`profile.p.cluster` is missing"),
        ({"version": "2.0", "profile": {"p": 1}, "cluster": {}}, "`profile.p` must be a table"),
        (cluster_document(), "`cluster.c.endpoint` is missing"),
        (cluster_document(endpoint=1), "`cluster.c.endpoint` must be a string"),
        (cluster_document(endpoint="h:1", tls={"tls_policy": "x"}), "`cluster.c.tls.tls_policy` is `x`"),
        (cluster_document(endpoint="h", tls={"tls_policy": "verified"}), "`cluster.c.tls.tls_source` is"),
        (cluster_document(endpoint="h:1", use_spu_local_address=1), "must be true or false"),
    ],
)  # fmt: skip
def test_a_document_the_official_reader_refuses_names_the_key(document: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_document(document)
    assert message in str(caught.value)


def test_renaming_the_current_profile_keeps_it_current_and_replaces_another() -> None:
    config = Config()
    config.add_and_select("b", "h:2", "local")
    config.add_and_select("a", "h:1", "local")
    assert config.rename_profile("a", "b")
    assert (config.current_profile, config.profiles["b"].cluster) == ("b", "a")
    assert not config.rename_profile("a", "c")


def test_pointing_a_cluster_elsewhere_keeps_its_other_keys_and_drops_tls() -> None:
    config = from_document(
        cluster_document(endpoint="h:1", tls={"tls_policy": "anonymous"}, metadata={"tool": {"x": 1}}, odd=1)
    )
    config.add_and_select("c", "h:2", "local")
    assert to_document(config)["cluster"]["c"] == {
        "endpoint": "h:2",
        "use_spu_local_address": False,
        "odd": 1,
        "tls": {"tls_policy": "disabled"},
        "metadata": {"tool": {"x": 1}, "installation": "local"},
    }
