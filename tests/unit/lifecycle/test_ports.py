"""How free ports are chosen."""

import errno

import pytest

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import ports
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.ports import PortProblem, port_chooser


def test_chosen_ports_are_free_differ_and_avoid_those_named() -> None:
    looked_at = []

    def is_free(endpoint: Endpoint) -> bool:
        looked_at.append(endpoint)
        return endpoint.port % 2 == 0

    choose = port_chooser({20_000}, is_free)
    chosen = [choose("127.0.0.1") for _ in range(50)]
    assert len(set(chosen)) == 50
    assert all(port % 2 == 0 and 20_000 < port < 32_000 for port in chosen)
    assert {endpoint.host for endpoint in looked_at} == {"127.0.0.1"}


def test_a_machine_without_free_ports_is_told_so() -> None:
    choose = port_chooser(set(), lambda endpoint: False)
    with pytest.raises(LocalClusterError, match="no free port"):
        choose("127.0.0.1")


def test_an_address_of_another_machine_is_not_tried_port_by_port(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def problem(endpoint: Endpoint) -> PortProblem:
        asked.append(endpoint)
        return PortProblem(endpoint, errno.EADDRNOTAVAIL)

    monkeypatch.setattr(ports, "port_problem", problem)
    with pytest.raises(LocalClusterError, match=r"`far\.example` is not an address of this machine"):
        port_chooser(set())("far.example")
    assert len(asked) == 1
