"""`local_cluster/`: compose file, image file and service unit. What they say is done, without an engine."""

import configparser
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.support.containers import Container
from tests.support.local_cluster import FREE_PORTS, LocalCluster

FOLDER = Path(__file__).resolve().parents[2] / "local_cluster"
DEADLINE_S = 30.0
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def compose_service(**variables: str) -> dict[str, Any]:
    """The service `fluvio`, with variables as Compose fills them in."""
    text = (FOLDER / "compose.yaml").read_text()
    filled = _VARIABLE.sub(lambda found: variables.get(found[1]) or found[2], text)
    document = yaml.safe_load(filled)
    assert set(document) == {"services", "volumes"}
    service: dict[str, Any] = document["services"]["fluvio"]
    return service


def dockerfile() -> list[tuple[str, str]]:
    """Instructions, each with what stands behind it, continued lines joined."""
    text = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def in_container(service: dict[str, Any], home: LocalCluster) -> Container:
    """The service's command as process 1 of a container with its host name; its volume is the home."""
    assert service["environment"] == {"HOME": "/var/lib/fluvio"}
    assert service["volumes"] == ["fluvio:/var/lib/fluvio/.fluvio"]
    return Container(service["hostname"], program(service["command"], home), home.env, home.home)


def program(words: list[str], home: LocalCluster) -> list[str]:
    assert words[0] == "fluvio"
    return [str(home.executable), *words[1:]]


def healthy(container: Container, service: dict[str, Any], home: LocalCluster) -> bool:
    kind, *words = service["healthcheck"]["test"]
    assert kind == "CMD"
    done = container.run(*program(words, home), check=False)
    return done.returncode == 0


@pytest.mark.usefixtures("with_containers")
def test_the_service_of_compose_comes_up_is_healthy_serves_others_and_keeps_its_data(
    throwaway_home: LocalCluster,
) -> None:
    home, service = throwaway_home, compose_service()
    far = (str(home.executable), "-c", f"{service['hostname']}:9003")
    stop = signal.Signals[service["stop_signal"]]
    with in_container(service, home) as container:
        container.await_line("the cluster runs")
        assert healthy(container, service, home)
        container.run(*far, "topic", "create", "orders")
        container.run(*far, "produce", "orders", stdin="kept\n")
        assert container.stop(stop)[0] == 0  # so `restart: on-failure` lets it rest
    with in_container(service, home) as container:  # a new container, with the same volume
        container.await_line("the cluster runs")
        assert container.run(*far, "consume", "orders", "-B", "-d").stdout == "kept\n"
        spu = next(
            child for child in container.first.children() if "fluvio_local_cluster.spu" in child.cmdline()
        )
        spu.kill()
        assert container.process.wait(DEADLINE_S) == 1  # so it is started again
    with in_container(service, home) as container:
        container.await_line("the cluster runs")
        assert container.run(*far, "consume", "orders", "-B", "-d").stdout == "kept\n"
        container.first.kill()  # as the engine does when the grace has passed
        container.process.wait(DEADLINE_S)
    with in_container(service, home) as container:
        container.await_line("the cluster runs")
        assert container.run(*far, "consume", "orders", "-B", "-d").stdout == "kept\n"
        assert container.stop(stop)[0] == 0


@pytest.mark.usefixtures("with_containers")
def test_programs_of_the_machine_are_served_with_the_variable_of_the_compose_file(
    throwaway_home: LocalCluster,
) -> None:
    service = compose_service(FLUVIO_HOST="localhost")
    fluvio = str(throwaway_home.executable)
    with in_container(service, throwaway_home) as container:
        container.await_line("the cluster runs")
        shown = container.run(fluvio, "-c", "127.0.0.1:9003", "cluster", "spu", "list").stdout
        assert "localhost:9010" in shown
        assert service["ports"] == ["127.0.0.1:9003:9003", "127.0.0.1:9010:9010"]
        assert container.stop()[0] == 0


def test_the_image_has_what_it_needs_and_does_as_the_compose_file() -> None:
    service, instructions = compose_service(), dockerfile()
    root = FOLDER.parent
    assert (FOLDER / service["build"]["context"]).resolve() == root
    assert (root / service["build"]["dockerfile"]).is_file()
    copied = [shlex.split(words)[:-1] for name, words in instructions if name == "COPY"]
    sources = [source for group in copied for source in group]
    assert [source for source in sources if not (root / source).exists()] == []
    packages = re.findall(r'^  "([\w/]+)",$', (root / "pyproject.toml").read_text(), re.M)
    tops = {package.split("/")[0] for package in packages if (root / package).is_dir()}
    assert tops <= set(sources)
    values = dict(instructions)
    assert yaml.safe_load(values["CMD"]) == service["command"]
    health = re.search(r"CMD (\[.*\])", values["HEALTHCHECK"])
    assert health is not None
    assert ["CMD", *yaml.safe_load(health[1])] == service["healthcheck"]["test"]
    assert values["STOPSIGNAL"] == service["stop_signal"]
    assert values["VOLUME"] == service["volumes"][0].split(":")[1]


def test_times_of_the_services_are_longer_than_those_of_the_program() -> None:
    from fluvio_local_cluster.lifecycle.settings import PROVISION_TIMEOUT_S
    from fluvio_local_cluster.lifecycle.stop import GRACE_S

    service, unit = compose_service(), unit_file()
    longest_stop_s = 2 * 2 * GRACE_S  # SPUs, then the SC; each may have to be killed
    assert seconds(service["stop_grace_period"]) > longest_stop_s
    assert float(unit["Service"]["TimeoutStopSec"]) > longest_stop_s
    assert float(unit["Service"]["TimeoutStartSec"]) > PROVISION_TIMEOUT_S
    assert seconds(service["healthcheck"]["timeout"]) > 10  # what `cluster health` takes at most


def unit_file() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, delimiters="=")
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / "fluvio.service")
    return unit


def test_the_service_unit_is_ready_when_the_cluster_is_and_stops_it(throwaway_home: LocalCluster) -> None:
    service, home = unit_file()["Service"], throwaway_home
    assert service["Environment"] == f"HOME={service['WorkingDirectory']}"
    words = shlex.split(service["ExecStart"])
    assert words[0].endswith("/fluvio")
    address = home.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(DEADLINE_S)
        with subprocess.Popen(
            [home.executable, *words[1:], *FREE_PORTS],
            env={**home.env, "NOTIFY_SOCKET": str(address)},
            cwd=home.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert service["Type"] == "notify"
            assert manager.recv(100) == b"READY=1"
            home.run("cluster", "health")
            servers = [psutil.Process(identity.pid) for identity in home.processes().values()]
            assert service["KillMode"] == "mixed"  # the first process alone gets the signal
            process.send_signal(signal.Signals[service["KillSignal"]])
            process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0  # so `Restart=on-failure` lets it rest
    assert psutil.wait_procs(servers, timeout=DEADLINE_S)[1] == []
