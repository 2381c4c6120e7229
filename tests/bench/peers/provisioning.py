"""The peers' servers, from their own registries, into a cache directory; got once.

nats-server is built by `go install` from the Go module proxy, Kafka resolved by `mvn` from Maven Central
with all it depends on. Neither is run from anywhere else, so everybody measures the same versions.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.peers.engine import UnavailableError

NATS_VERSION = "2.15.2"
KAFKA_VERSION = "4.3.1"
_SLF4J_VERSION = "1.7.36"  # the one whose interface Kafka has
_LEAST_JAVA = 17
_TIMEOUT_S = 600.0
CACHE = Path(__file__).resolve().parents[3] / ".make" / "bench-peers"

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>bench-peers</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>{_SLF4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def nats_server(cache: Path = CACHE) -> Path:
    """The program nats-server. Raises `UnavailableError`."""
    folder = cache / f"nats-{NATS_VERSION}"
    program = folder / "nats-server"
    if not program.exists():
        go = _program("go")
        folder.mkdir(parents=True, exist_ok=True)
        module = f"github.com/nats-io/nats-server/v2@v{NATS_VERSION}"
        _run([go, "install", module], folder, os.environ | {"GOBIN": str(folder)}, "go install")
    return program


def kafka_jars(cache: Path = CACHE) -> Path:
    """The folder with Kafka's jars, all it depends on included. Raises `UnavailableError`."""
    folder = cache / f"kafka-{KAFKA_VERSION}"
    jars = folder / "jars"
    if not jars.exists():
        maven = _program("mvn")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "pom.xml").write_text(_POM)
        partial = folder / "jars.partial"
        command = [maven, "--batch-mode", "--quiet", "dependency:copy-dependencies"]
        _run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={partial}"],
            folder,
            os.environ,
            "mvn dependency:copy-dependencies",
        )
        partial.rename(jars)  # whole or not at all
    return jars


def java() -> tuple[str, str]:
    """The program and its version. Raises `UnavailableError` when there is none or it is too old."""
    program = _program("java")
    done = subprocess.run(
        [program, "-version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    version = java_version(done.stderr + done.stdout)
    if version is None or int(version.partition(".")[0]) < _LEAST_JAVA:
        raise UnavailableError(f"Kafka {KAFKA_VERSION} needs Java {_LEAST_JAVA} or later, not {version}")
    return program, version


def java_version(text: str) -> str | None:
    """The version in what `java -version` prints."""
    found = re.search(r'version "(\d[\d.]*)', text)
    return found.group(1) if found else None


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(f"no `{name}` on this machine")
    return path


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise UnavailableError(f"`{name}` did not end within {_TIMEOUT_S:.0f} s") from exc
    if done.returncode != 0:
        raise UnavailableError(f"`{name}` failed: {first_complaint(done.stdout)}")


def first_complaint(output: str) -> str:
    """The first line that names an error, else the last one: short enough for a table."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if re.search(r"error|fail|refused|no such", line, re.IGNORECASE)]
    line = (marked or lines[-1:] or ["it said nothing"])[0]
    return line if len(line) <= 160 else line[:157] + "..."
