"""Protection and description of clusters, where they are kept, and whom they hold."""

import tomllib

import pytest
import tomli_w

from fluvio_profiles.consistency import problems
from fluvio_profiles.model import Cluster, Config, Profile, from_document, to_document
from fluvio_profiles.protection import (
    NORMAL,
    PROTECTED,
    READ_ONLY,
    clusters_at,
    description_of,
    keep,
    level_of,
)


def test_what_is_kept_stands_in_the_metadata_of_the_cluster() -> None:
    cluster = Cluster("h:1", metadata={"installation": "local"})
    keep(cluster, level=PROTECTED, description="orders")
    assert cluster.metadata["fluvio_cli"] == {"protection": "protected", "description": "orders"}
    config = Config(profiles={"p": Profile("c")}, clusters={"c": cluster})
    again = from_document(tomllib.loads(tomli_w.dumps(to_document(config)))).clusters["c"]
    assert (level_of(again.metadata), description_of(again.metadata)) == (PROTECTED, "orders")


def test_normal_and_an_empty_text_leave_nothing_behind() -> None:
    cluster = Cluster("h:1")
    keep(cluster, level=READ_ONLY, description="x")
    keep(cluster, level=NORMAL)
    assert cluster.metadata == {"fluvio_cli": {"description": "x"}}
    keep(cluster, description="")
    assert cluster.metadata == {}


def test_keys_of_a_later_version_stay() -> None:
    cluster = Cluster("h:1", metadata={"fluvio_cli": {"later": 1}})
    keep(cluster, level=PROTECTED)
    keep(cluster, level=NORMAL)
    assert cluster.metadata == {"fluvio_cli": {"later": 1}}


@pytest.mark.parametrize("own", [{"protection": "sealed"}, {"protection": 1}, {"protection": []}, "text", 3])
def test_a_word_that_nobody_knows_is_the_strictest(own: object) -> None:
    assert level_of({"fluvio_cli": own}) == READ_ONLY


def test_a_description_that_would_disturb_a_terminal_is_not_shown() -> None:
    assert description_of({"fluvio_cli": {"description": "\x1b[2J"}}) == ""
    assert description_of({"fluvio_cli": {"description": 7}}) == ""


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("h:9003", "H:9003"),
        ("h.example.:9003", "h.example:09003"),
        ("localhost:9003", "127.0.0.1:9003"),
        ("[::1]:9003", "localhost:9003"),
    ],
)
def test_an_address_has_several_spellings(kept: str, asked: str) -> None:
    config = Config(clusters={"c": Cluster(kept), "other": Cluster("elsewhere:9003")})
    assert [name for name, _ in clusters_at(config, asked)] == ["c"]


def test_what_leads_nowhere_in_a_file_is_found() -> None:
    config = Config(
        current_profile="gone",
        profiles={"p": Profile("gone")},
        clusters={
            "a": Cluster("no-port", metadata={"fluvio_cli": {"protection": "sealed"}}),
            "b": Cluster("h:1", metadata={"fluvio_cli": 1}),
        },
    )
    assert len(problems(config)) == 5
    assert problems(Config(profiles={"p": Profile("c")}, clusters={"c": Cluster("h:1")})) == []
