"""The official Python client as a producer: `python -m tests.soak.official_producing ENDPOINT FOLDER SEED
FACTOR`.

It gives a bunch of records, waits for the answer of each, and gives the next one, until told to stop. The
client does not recover from every lost connection: after a failure it is made anew, and what was not
acknowledged is not sent again (its ledger says that nobody knows).
"""

import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fluvio import Fluvio, FluvioConfig  # type: ignore[import-untyped]

from tests.soak.ledger import Ledger
from tests.soak.plan import OFFICIAL
from tests.soak.producing import Filler
from tests.soak.telling import TELL_S, tell
from tests.soak.values import LEAST_BYTES, Stamp, make_value


class OfficialProducer:
    """Keeps the ledger, and a client that is made anew after each failure."""

    def __init__(self, endpoint: str, factor: float, seed: int, stop: threading.Event) -> None:
        self._endpoint, self._stop = endpoint, stop
        self._rate = OFFICIAL.rate * factor
        self.ledger = Ledger(OFFICIAL.producer, OFFICIAL.name, OFFICIAL.topic)
        self._choose = random.Random(seed * 1000 + OFFICIAL.producer)
        self._filler = Filler(self._choose)
        self._producer: Any = None
        self.acknowledged = self.failed = self.failures = 0

    def run(self) -> None:
        """Until stopped."""
        begin, ticks = time.monotonic(), 0
        count = max(1, round(self._rate * OFFICIAL.tick_s))
        while not self._stop.is_set():
            if time.monotonic() - begin > ticks * OFFICIAL.tick_s:
                ticks = int((time.monotonic() - begin) / OFFICIAL.tick_s) + 1
                self._one_bunch(count)
            self._stop.wait(max(0.0, begin + ticks * OFFICIAL.tick_s - time.monotonic()))

    def _one_bunch(self, count: int) -> None:
        outcomes: list[Any] = []
        records = []
        first = self.ledger.count
        for _ in range(count):
            key = b"key-%d" % self._choose.randrange(OFFICIAL.keys)
            given_ns = time.monotonic_ns()
            size = OFFICIAL.sizes[0]
            stamp = Stamp(OFFICIAL.producer, self.ledger.give(given_ns / 1e9, size), given_ns)
            records.append((key, make_value(stamp, key, self._filler.take(size - LEAST_BYTES))))
        has_failed = False
        try:
            if self._producer is None:
                client = Fluvio.connect_with_config(FluvioConfig.new(self._endpoint))
                self._producer = client.topic_producer(OFFICIAL.topic)
            outcomes = self._producer.send_all(records)
            self._producer.flush()
        except Exception:  # noqa: BLE001 - the client raises what it likes; what it stored is seen in the log
            has_failed = True
        for sequence in range(first, first + count):
            stored = _answer(outcomes, sequence - first)
            if stored is None:
                self.ledger.fail(sequence, time.monotonic())
                self.failed += 1
                has_failed = True
            else:
                self.ledger.acknowledge(sequence, *stored, time.monotonic())
                self.acknowledged += 1
        if has_failed:
            self.failures += 1
            self._producer = None

    def progress(self) -> dict[str, Any]:
        """For the one who started this."""
        return {
            "given": self.ledger.count,
            "given_bytes": self.ledger.given_bytes,
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "errors": [],
        }


def _answer(outcomes: list[Any], index: int) -> tuple[int, int] | None:
    try:
        answer = outcomes[index].wait()
        return answer.partition_id(), answer.offset()
    except Exception:  # noqa: BLE001 - as above
        return None


def main(endpoint: str, folder: Path, seed: int, factor: float) -> None:
    """Produce in this thread; one thread waits for the word to stop, one tells how far it is."""
    stop, has_ended = threading.Event(), threading.Event()
    producer = OfficialProducer(endpoint, factor, seed, stop)

    def wait_for_word() -> None:
        sys.stdin.readline()
        stop.set()

    def tell_on() -> None:
        while not has_ended.wait(TELL_S):
            tell(**producer.progress())

    tell(ready=True, pid=os.getpid())
    threading.Thread(target=wait_for_word, daemon=True).start()
    telling = threading.Thread(target=tell_on)
    telling.start()
    try:
        producer.run()
    finally:
        has_ended.set()
        telling.join()
    producer.ledger.save(folder)
    tell(**producer.progress(), failures=producer.failures)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
