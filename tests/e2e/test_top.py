"""`fluvio top` at a terminal and for programs, on a real cluster."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.support.full_screen import FullScreen
from tests.support.local_cluster import LocalCluster

SIZE = (110, 34)
_IS_OTHER_SCREEN, _IS_USUAL_SCREEN, _CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


def top(cluster: LocalCluster, *words: str) -> FullScreen:
    return FullScreen(
        [str(cluster.executable), *words, "top", "--interval", "200ms"],
        directory=cluster.home,
        environment={**cluster.env, "TERM": "xterm-256color"},
        size=SIZE,
    )


def test_figures_and_records_come_while_a_person_looks(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "orders", "-p", "2")
    fresh_cluster.run("topic", "create", "audits")
    fresh_cluster.run("produce", "audits", stdin="[bold]first[/bold]\n\x1b[2Jsecond\n")
    fresh_cluster.run("consume", "audits", "-B", "-d", "--consumer", "reader")
    fresh_cluster.run("produce", "audits", stdin="third\n")
    with top(fresh_cluster) as person:
        person.see(lambda text: re.search(r"audits +1 +3 +\d+ B +0 ", text))
        person.see(lambda text: re.search(r"reader +audits-0 +1 +1 ", text))
        person.see(lambda text: re.search(r"\* +local +ok +127", text) and "5001  Online      3" in text)
        person.see(lambda text: "0 [bold]first[/bold]" in text and r"1 \u001b[2Jsecond" in text)
        fresh_cluster.run("produce", "audits", stdin="fourth\n")
        person.see(lambda text: "3 fourth" in text and re.search(r"audits +1 +4 ", text))
        person.press("\x1b[B")  # down
        person.see(lambda text: "Records of orders-0" in text)
        person.press("n")
        person.see(lambda text: "Records of orders-1" in text and "fourth" not in text)
        person.press("q")
        assert person.end() == 0
        assert person.printed.count(_IS_OTHER_SCREEN) == person.printed.count(_IS_USUAL_SCREEN) == 1
        assert person.printed.rindex(_CURSOR) > person.printed.index(_IS_OTHER_SCREEN)


def test_a_cluster_that_stops_is_told_and_found_again_when_it_is_back(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "orders")
    with top(fresh_cluster) as person:
        person.see(lambda text: re.search(r"orders +1 +0 ", text))
        fresh_cluster.run("cluster", "shutdown")
        person.see(lambda text: "no connection, trying again" in text and "orders" in text)
        fresh_cluster.run("cluster", "resume")
        fresh_cluster.run("produce", "orders", stdin="back\n")
        person.see(lambda text: "no connection" not in text and "0 back" in text)
        person.press("\x1b")
        assert person.end() == 0


@pytest.mark.parametrize("leave", ["q", "\x1b", "\x03", signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_it_leaves_the_terminal_as_it_was(
    local_cluster: LocalCluster, leave: str | signal.Signals
) -> None:
    with top(local_cluster) as person:
        person.see(lambda text: "records/s" in text)
        if isinstance(leave, str):
            person.press(leave)
        else:
            person.signal(leave)
        assert person.end() == 0
        assert person.printed.endswith(_CURSOR) or _CURSOR in person.printed[-200:]


def test_an_address_where_nobody_answers_is_shown_as_such(local_cluster: LocalCluster) -> None:
    with top(local_cluster, "-c", "127.0.0.1:1") as person:
        person.see(lambda text: "no connection, trying again" in text and "cannot-connect" in text)
        person.press("q")
        assert person.end() == 0


def test_programs_get_one_sample_without_a_terminal_and_without_textual(
    local_cluster: LocalCluster, tmp_path: Path
) -> None:
    hidden = tmp_path / "textual"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('not here')\n")
    local_cluster.run("topic", "create", "top-sampled")
    local_cluster.run("produce", "top-sampled", stdin="one\ntwo\n")
    done = local_cluster.run("top", "-O", "json", "--interval", "100ms", PYTHONPATH=str(tmp_path))
    (row,) = [row for row in json.loads(done.stdout)["topics"] if row["name"] == "top-sampled"]
    assert (row["records"], row["recordsPerSecond"], row["status"]) == (2, 0, "provisioned")
    local_cluster.run("topic", "delete", "top-sampled")


def test_the_view_needs_a_terminal_and_sampling_an_answer(local_cluster: LocalCluster) -> None:
    refused = local_cluster.run("top", check=False)
    assert (refused.returncode, refused.stderr) == (2, "`top` needs a terminal\n")
    silent = local_cluster.run("-c", "127.0.0.1:1", "top", "-O", "json", check=False)
    assert (silent.returncode, silent.stdout) == (4, "")
    usage = local_cluster.run("top", "--interval", "5ms", check=False)
    assert usage.returncode == 2
    assert "it must be 100ms or more" in usage.stderr
