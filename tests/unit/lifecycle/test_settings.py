"""Which servers follow from the settings, and how they are called."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.settings import (
    ClusterSettings,
    Role,
    advertised_host,
    dialled,
    plan,
    server_arguments,
)

SETTINGS = ClusterSettings(Path("/d"), Path("/l"), spu_count=2)


def no_choice(host: str) -> int:
    raise AssertionError("every port is given")


def counting(start: int) -> Callable[[str], int]:
    numbers = iter(range(start, start + 100))
    return lambda host: next(numbers)


def test_default_servers_are_where_the_official_cluster_has_them() -> None:
    sc, first, second = plan(SETTINGS, no_choice)
    assert (sc.role, str(sc.public), str(sc.private)) == (Role.SC, "127.0.0.1:9003", "127.0.0.1:9004")
    assert (first.id, str(first.public), str(first.private)) == (5001, "127.0.0.1:9010", "127.0.0.1:9011")
    assert (second.id, str(second.public), str(second.private)) == (5002, "127.0.0.1:9020", "127.0.0.1:9021")
    assert (sc.log, second.log) == (Path("/l/flv_sc.log"), Path("/l/spu_log_5002.log"))
    assert second.spu_name == "custom-spu-5002"


def test_private_ports_are_on_the_loopback_wherever_the_public_ones_are() -> None:
    everywhere = replace(SETTINGS, sc_public=Endpoint("0.0.0.0", 9003))
    _, first, _ = plan(everywhere, no_choice)
    assert (first.public.host, first.private.host) == ("0.0.0.0", "127.0.0.1")


def test_port_zero_is_replaced_by_a_chosen_one() -> None:
    free = Endpoint("127.0.0.1", 0)
    servers = plan(
        replace(SETTINGS, sc_public=free, sc_private=free, spu_port_base=0, spu_count=1), counting(20_000)
    )
    ports = [(server.public.port, server.private.port) for server in servers]
    assert ports == [(20_000, 20_001), (20_002, 20_003)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"spu_count": 5_700}, "beyond 65535"),
        ({"sc_private": Endpoint("127.0.0.1", 9003)}, "port 9003 is wanted by two"),
        ({"spu_port_base": 9003}, "port 9003 is wanted by two"),
        ({"metrics": Endpoint("127.0.0.1", 9010)}, "port 9010 is wanted by two"),
        ({"metrics": Endpoint("127.0.0.1", 9009)}, "port 9010 is wanted by two"),
        ({"metrics": Endpoint("127.0.0.1", 65_534)}, "beyond 65535 for `--metrics`"),
    ],
)
def test_ports_that_cannot_be_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(LocalClusterError, match=told):
        plan(replace(SETTINGS, **changes), no_choice)  # type: ignore[arg-type]


def test_as_many_spus_as_ports_allow_are_planned() -> None:
    assert plan(replace(SETTINGS, spu_count=5_653), no_choice)[-1].private.port == 65_531


def test_metrics_are_told_at_ports_that_follow_one_another() -> None:
    servers = plan(replace(SETTINGS, metrics=Endpoint("0.0.0.0", 9500)), no_choice)
    assert [str(server.metrics) for server in servers] == ["0.0.0.0:9500", "0.0.0.0:9501", "0.0.0.0:9502"]
    assert servers[1].metrics_url == "http://127.0.0.1:9501/metrics"
    arguments = server_arguments(servers[1], SETTINGS, servers[0].private, "some-id")
    assert arguments[-2:] == ["--metrics", "0.0.0.0:9501"]
    arguments = server_arguments(servers[0], SETTINGS, servers[0].private, "some-id")
    assert arguments[-2:] == ["--metrics", "0.0.0.0:9500"]


def test_metrics_take_free_ports_when_asked_and_none_when_not() -> None:
    servers = plan(replace(SETTINGS, metrics=Endpoint("127.0.0.1", 0)), counting(20_000))
    assert [server.metrics and server.metrics.port for server in servers] == [20_000, 20_001, 20_002]
    assert [server.metrics_url for server in plan(SETTINGS, no_choice)] == [None, None, None]


def test_no_spus_is_a_cluster_too() -> None:
    assert [server.role for server in plan(replace(SETTINGS, spu_count=0), no_choice)] == [Role.SC]


def test_spus_are_told_where_the_controller_is() -> None:
    sc, spu, _ = plan(replace(SETTINGS, sc_private=Endpoint("0.0.0.0", 9104)), no_choice)
    assert server_arguments(sc, SETTINGS, sc.private, "some-id") == [
        *("fluvio_local_cluster.sc", "--local", "/d/metadata"),
        *("--bind-public", "127.0.0.1:9003", "--bind-private", "0.0.0.0:9104", "--cluster-id", "some-id"),
    ]
    assert server_arguments(spu, SETTINGS, sc.private, "some-id") == [
        *("fluvio_local_cluster.spu", "-i", "5001", "-p", "127.0.0.1:9010", "-v", "127.0.0.1:9011"),
        *("--sc-addr", "127.0.0.1:9104", "--log-base-dir", "/d"),
    ]


@pytest.mark.parametrize(
    ("listening", "dial", "advertised"),
    [
        ("127.0.0.1", "127.0.0.1", "localhost"),
        ("0.0.0.0", "127.0.0.1", "localhost"),
        ("::", "::1", "localhost"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("sc.example.com", "sc.example.com", "sc.example.com"),
    ],
)
def test_a_wildcard_is_never_dialled_nor_advertised(listening: str, dial: str, advertised: str) -> None:
    assert dialled(Endpoint(listening, 1)) == Endpoint(dial, 1)
    assert advertised_host(Endpoint(listening, 1)) == advertised


def test_spus_of_data_that_are_there_keep_their_ids() -> None:
    settings = replace(SETTINGS, spu_count=2, spu_port_base=0)
    servers = plan(settings, counting(20_000), [5001, 5004])
    assert [server.spu_name for server in servers[1:]] == ["custom-spu-5001", "custom-spu-5004"]
    assert servers[2].log.name == "spu_log_5004.log"
