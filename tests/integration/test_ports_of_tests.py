"""Ports that tests give to servers: a collision would look like a fault of the server."""

import json
import subprocess
import sys

from tests.support.ports import free_port_block, free_ports, is_free

_OTHER = """
import json, sys
from tests.support.ports import free_port_block
print(json.dumps([free_port_block(44) for _ in range(12)]), flush=True)
sys.stdin.read()
"""


def test_blocks_given_one_after_the_other_do_not_overlap() -> None:
    for _ in range(20):
        first, second, single = free_port_block(44), free_port_block(44), free_ports(1)[0]
        ports = [*range(first, first + 44), *range(second, second + 44), single]
        assert len(set(ports)) == 89
        assert all(is_free(port) for port in ports)


def test_processes_that_run_at_once_get_ports_apart() -> None:
    command = [sys.executable, "-c", _OTHER]
    others = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    given = [{port + index for port in json.loads(_line(other)) for index in range(44)} for other in others]
    given.append({free_port_block(44) + index for _ in range(12) for index in range(44)})
    for other in others:
        other.communicate("", timeout=10)
    assert len(set().union(*given)) == sum(map(len, given))


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()
