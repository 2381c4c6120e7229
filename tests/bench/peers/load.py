"""A client of one engine in a process of its own: `python -m tests.bench.peers.load MODULE CLASS`.

A first line of output says that the client is loaded. Then each line of input is a task, `{"task": name,
"job": {...}}`, and is answered by a line with its result. A task that fails ends the process: its traceback
is on standard error. The process ends with its input.
"""

import importlib
import json
import sys
from dataclasses import asdict
from typing import Any

from tests.bench.peers.engine import Client, Job, Outcome

READY = {"ready": True}


def _perform(client: Client, task: str, job: Job) -> Any:
    if task == "receive_paced":
        return client.receive_paced(job, lambda: _answer(READY))
    result = getattr(client, task)(job)
    return asdict(result) if isinstance(result, Outcome) else result


def _answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


def main(module: str, name: str) -> None:
    """Serve until standard input ends."""
    client: Client = getattr(importlib.import_module(module), name)()
    _answer(READY)
    for line in sys.stdin:
        asked = json.loads(line)
        _answer({"result": _perform(client, asked["task"], Job(**asked["job"]))})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
