"""What a watch over a cluster passes on, and how it hears of signals."""

import os
import signal
from pathlib import Path

import pytest

from fluvio_local_cluster.lifecycle.foreground import Asked, Relay


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "sc.log"
    path.write_text("old\n")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_lines_come_whole_and_once_without_what_was_there(log: Path) -> None:
    told: list[str] = []
    relay = Relay(told.append, log.parent)
    append(log, "one\ntwo\nbeg")
    relay.follow("SC", log)
    relay.pump()
    relay.pump()
    assert told == ["SC: one", "SC: two"]
    append(log, "un\n")
    relay.pump()
    assert told[2:] == ["SC: begun"]
    append(log, "cut off")
    relay.close()
    assert told[3:] == ["SC: cut off"]


def test_a_file_that_was_moved_aside_is_read_to_its_end_and_the_new_one_from_its_beginning(log: Path) -> None:
    told: list[str] = []
    relay = Relay(told.append, log.parent)
    relay.follow("SC", log)
    append(log, "one\n")
    relay.pump()
    append(log, "two\n")
    os.replace(log, log.with_name("sc.log.1"))
    log.write_text("three\n")
    relay.pump()
    assert told == ["SC: one", "SC: two", "SC: three"]
    relay.close()


def test_a_file_that_was_moved_aside_before_the_first_look_has_nothing_old(log: Path) -> None:
    told: list[str] = []
    append(log, "old\n" * 100)
    relay = Relay(told.append, log.parent)
    os.replace(log, log.with_name("sc.log.1"))
    log.write_text("new\n")
    relay.follow("SC", log)
    relay.close()
    assert told == ["SC: new"]


def test_a_server_without_output_yet_is_waited_for(tmp_path: Path) -> None:
    told: list[str] = []
    relay = Relay(told.append, tmp_path)
    relay.follow("SPU 5001", tmp_path / "spu.log")
    relay.pump()
    (tmp_path / "spu.log").write_bytes(b"\xff\n")
    relay.close()
    assert told == ["SPU 5001: \ufffd"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_noted_and_ends_the_wait_and_the_first_one_counts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Asked() as asked:
        assert asked.signal is None
        signal.raise_signal(number)
        signal.raise_signal(signal.SIGTERM)
        asked.wait(60.0)
        assert asked.signal == number
    assert signal.getsignal(number) is before


def test_the_end_of_a_child_ends_the_wait_and_asks_for_nothing() -> None:
    with Asked() as asked:
        signal.raise_signal(signal.SIGCHLD)
        asked.wait(60.0)
        assert asked.signal is None


def test_a_signal_that_is_ignored_stays_so() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with Asked() as asked:
            signal.raise_signal(signal.SIGHUP)
            assert asked.signal is None
    finally:
        signal.signal(signal.SIGHUP, former)
