"""Mutates captured frames and decodes what comes out: all decode or raise `DecodeError`, soon and cheaply.

    python -m tests.fuzz.mutations [--count N] [--seed S]

The normal suite runs a part of this (tests/unit/protocol/test_mutations.py); `make fuzz` runs a million.
A failure prints the frame, the seed and the mutated bytes.
"""

import argparse
import random
import sys
import time
import tracemalloc
from dataclasses import dataclass, field
from typing import Any

from fluvio_protocol import batch
from fluvio_protocol.wire import DecodeError
from tests.support.captured_frames import CapturedFrame, all_frames, decode_frame

SLOWEST_S = 0.05
UNPACK_LIMIT = 1 << 20  # bytes that a compressed area may become here
BYTES_PER_BYTE = 64  # what a decoded byte may cost: a struct of two bytes is an object of some sixty
MEMORY_FLOOR = 16 * 1024  # error texts, the reader, and what Python allocates besides

# What lengths and counts are likely to be damaged into.
INTERESTING = tuple(
    value.to_bytes(4, "big")
    for value in (
        0,
        1,
        0x7F,
        0xFF,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFFF,
        0x00FF_FFFF,
    )
)


@dataclass(slots=True)
class Outcome:
    """Counts of one run; `failures` has a text for each input that broke a rule."""

    decoded: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    most_bytes_per_byte: float = 0.0
    failures: list[str] = field(default_factory=list)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to three damages: bits, bytes, lengths, pieces cut out, doubled, inserted, or the end cut off."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if not out:
            break
        at = chance.randrange(len(out))
        kind = chance.randrange(7)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[at] = chance.randrange(256)
        elif kind == 2:
            out[at : at + 4] = chance.choice(INTERESTING)
        elif kind == 3:
            del out[at : at + chance.randrange(1, 9)]
        elif kind == 4:
            out[at:at] = out[at : at + chance.randrange(1, 17)]
        elif kind == 5:
            out[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            del out[at:]
    return bytes(out)


def take_apart(captured: CapturedFrame, payload: bytes) -> None:
    """Decode a payload and every batch and record in it. Raises `DecodeError`."""
    for records in _record_sets(decode_frame(captured, payload).object):
        view = memoryview(records)
        for header in batch.split(view):
            batch.crc_matches(view, header)
            batch.decode_records(view, header, UNPACK_LIMIT)


def _record_sets(value: Any) -> list[Any]:
    """The record sets of the structs that have some."""
    found: list[Any] = []
    pending = [value]
    while pending:
        item = pending.pop()
        records = getattr(item, "records", None)
        if records is not None:
            found.append(records)
        for name in ("topics", "partitions", "partition"):
            inner = getattr(item, name, None)
            if isinstance(inner, list):
                pending += inner
            elif name == "partition" and inner is not None:
                pending.append(inner)
    return found


def _timed(captured: CapturedFrame, payload: bytes) -> tuple[float, bool]:
    started = time.thread_time()
    try:
        take_apart(captured, payload)
    except DecodeError:
        return time.thread_time() - started, False
    return time.thread_time() - started, True


def run(count: int, seed: int, *, memory_every: int = 100) -> Outcome:
    """Decode `count` mutated frames; memory is measured for each `memory_every`th, since that is slow."""
    chance, outcome, frames = random.Random(seed), Outcome(), all_frames()
    for captured in frames:
        _timed(captured, captured.payload)  # derives the codecs and loads cramjam before anything is measured
    for number in range(count):
        captured = frames[number % len(frames)]
        payload = mutate(captured.payload, chance)
        place = f"{captured.id} seed={seed} number={number} payload={payload.hex()}"
        try:
            took_s, whole = _timed(captured, payload)
            if took_s > SLOWEST_S:  # the collector may have run just then: the best of three counts
                took_s = min(_timed(captured, payload)[0] for _ in range(3))
            if number % memory_every == 0:
                _check_memory(captured, payload, outcome, place)
        except Exception as exc:  # noqa: BLE001 - whatever is not a DecodeError is what we look for
            outcome.failures.append(f"{type(exc).__name__}: {exc}: {place}")
            continue
        outcome.decoded += whole
        outcome.refused += not whole
        outcome.slowest_s = max(outcome.slowest_s, took_s)
        if took_s > SLOWEST_S:
            outcome.failures.append(f"took {took_s:.3f} s: {place}")
    return outcome


def _check_memory(captured: CapturedFrame, payload: bytes, outcome: Outcome, place: str) -> None:
    tracemalloc.start()
    try:
        _timed(captured, payload)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    over_floor = max(peak - MEMORY_FLOOR, 0) / max(len(payload), 1)
    outcome.most_bytes_per_byte = max(outcome.most_bytes_per_byte, over_floor)
    if over_floor > BYTES_PER_BYTE:
        outcome.failures.append(f"allocated {peak} bytes for {len(payload)}: {place}")


def main(arguments: list[str]) -> int:
    """Run from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args(arguments)
    print(f"{options.count} mutations, seed {options.seed}", flush=True)
    started = time.monotonic()
    outcome = run(options.count, options.seed)
    print(
        f"decoded {outcome.decoded}, refused {outcome.refused}, slowest {outcome.slowest_s * 1e3:.2f} ms, "
        f"at most {outcome.most_bytes_per_byte:.1f} bytes a byte, {time.monotonic() - started:.0f} s"
    )
    for failure in outcome.failures[:20]:
        print(failure)
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
