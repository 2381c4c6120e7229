"""`consume -O full-table` at a terminal: what it shows, what keys and signals do, how it leaves it."""

import itertools
import json
import os
import signal
import termios
from collections.abc import Callable, Iterator
from typing import Any

import pexpect
import psutil
import pytest

from tests.support.local_cluster import LocalCluster
from tests.support.screens import Screen

TIMEOUT_S = 30.0
_numbers = itertools.count()
_CURSOR_IS_SHOWN = "\x1b[?25h"


class Person:
    """Somebody at a terminal, on which the command runs."""

    def __init__(
        self, cluster: LocalCluster, *words: str, size: tuple[int, int] = (10, 80), **variables: str
    ) -> None:
        lines, columns = size
        self.screen = Screen(columns, lines)
        self.child: pexpect.spawn[str] = pexpect.spawn(
            "/bin/sh",
            ["-c", 'read go; exec "$0" "$@"', str(cluster.executable), "consume", *words],
            env={**cluster.env, "TERM": "xterm", **variables},
            encoding="utf-8",
            timeout=TIMEOUT_S,
            dimensions=size,
            echo=False,
        )
        self.modes = self.modes_now()
        self.child.sendline("go")

    def modes_now(self) -> list[Any]:
        """The terminal's modes, as they are."""
        return termios.tcgetattr(self.child.child_fd)

    def see(self, is_there: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the screen is so."""
        while not (self.screen.is_other and is_there(self.screen.text)):
            self.screen.feed(self._more())
        return self.screen.text

    def see_rows(self, *rows: str) -> list[str]:
        """Wait until just these rows are in view; blanks count once."""

        def is_there(lines: list[str]) -> bool:
            body = [" ".join(line.strip("│").split()) for line in lines[2:-1]]
            return lines[-1][-1:] == "┘" and [row for row in body if row] == list(rows)

        return self.see(is_there)

    def _more(self) -> str:
        """What was printed; whole sequences, since they are cut anywhere."""
        text: str = self.child.read_nonblocking(4096, TIMEOUT_S)
        while "\x1b" in text[-24:] and not _is_whole(text):
            text += self.child.read_nonblocking(1, TIMEOUT_S)
        return text

    def end(self) -> tuple[int | None, list[str]]:
        """How it ended (negative: by that signal), what the usual screen has then; checks the terminal."""
        while True:
            try:
                self.screen.feed(self._more())
            except pexpect.EOF:
                break
        assert self.modes_now() == self.modes
        self.child.close()
        shown = self.screen
        assert (shown.is_other, shown.has_cursor, shown.wraps) == (False, True, True)
        code = -self.child.signalstatus if self.child.signalstatus is not None else self.child.exitstatus
        return code, [line for line in shown.text if line]


def _is_whole(text: str) -> bool:
    return any(letter.isalpha() for letter in text[text.rindex("\x1b") :])


@pytest.fixture
def topic(local_cluster: LocalCluster) -> Iterator[str]:
    """A topic of one partition, and a table format of the same name, for this test alone."""
    name = f"full-table-{next(_numbers)}"
    local_cluster.run("topic", "create", name)
    file = local_cluster.home / f"{name}.yaml"
    columns = "[{headerLabel: Host, keyPath: id, primaryKey: true}, {keyPath: up.now}]"
    file.write_text(f"name: {name}\ncolumns: {columns}\n")
    local_cluster.run("table-format", "create", "-c", str(file))
    yield name
    local_cluster.run("table-format", "delete", name)
    local_cluster.run("topic", "delete", name, check=False)


def produce(cluster: LocalCluster, topic: str, *records: Any) -> None:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    cluster.run("produce", topic, stdin="".join(f"{line}\n" for line in lines))


def headline(topic: str) -> str:
    return f"Consuming records from '{topic}' starting from the beginning of log"


CLOSED = "Consumer stream has closed"


def test_rows_are_replaced_by_their_key_while_a_person_looks(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, {"id": "a", "up": {"now": 1}}, "not json", {"id": "b\x1b[2J"})
    person = Person(local_cluster, topic, "-B", "-O", "full-table", "--table-format", topic)
    lines = person.see_rows("a 1", "b\\u001b[2J")
    assert lines[0].startswith("┌('c' to clear table | 'q' or ESC to exit) | Items: 2─")
    assert lines[1].strip("│").split() == ["Host", "up.now"]
    assert lines[-1].startswith("└records that are no JSON objects: 1─")
    produce(local_cluster, topic, {"id": "a", "up": {"now": 2}}, {"id": "c", "up.now": True})
    person.see_rows("a 2", "b\\u001b[2J", "c true")
    person.child.send("c")
    assert "Items: 0" in person.see_rows()[0]
    produce(local_cluster, topic, {"id": "d"})
    person.see_rows("d")
    person.child.send("q")
    assert person.end() == (0, [headline(topic), CLOSED])


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        *(("q", 0), ("\x1b", 0), ("\x03", 0), (signal.SIGTERM, 0), (signal.SIGINT, 0)),
        *((signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGHUP, -signal.SIGHUP)),
    ],
)
def test_whatever_ends_it_leaves_the_terminal_as_it_was(
    local_cluster: LocalCluster, topic: str, leave: "str | signal.Signals", code: int
) -> None:
    produce(local_cluster, topic, {"a": 1})
    person = Person(local_cluster, topic, "-B", "-O", "full-table", "-c", "leaver")
    person.see_rows("1")
    assert not person.screen.has_cursor
    assert person.modes_now() != person.modes
    if isinstance(leave, str):
        person.child.send(leave)
    else:
        person.child.kill(leave)
    assert person.end() == (code, [headline(topic)] + ([CLOSED] if code == 0 else []))


def test_when_the_stream_ends_the_table_is_printed(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, {"a": 1, "b": "x"}, "5", {"a": 22})
    person = Person(local_cluster, topic, "-B", "-d", "-O", "full-table", size=(12, 80))
    code, lines = person.end()
    assert (code, lines) == (
        0,
        [
            *(headline(topic), "+----+---+", "| a  | b |", "+========+", "| 1  | x |", "| 22 |   |"),
            *("+----+---+", "records that are no JSON objects: 1"),
        ],
    )


def test_an_error_is_said_when_the_screen_is_gone(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, {"a": 1})
    person = Person(local_cluster, topic, "-B", "-O", "full-table", size=(20, 80))
    person.see_rows("1")
    local_cluster.run("topic", "delete", topic)
    code, lines = person.end()
    assert code == 3
    assert lines[:6] == [headline(topic), "+---+", "| a |", "+===+", "| 1 |", "+---+"]
    assert "deleted" in lines[6]


def test_a_time_limit_ends_it_as_well(local_cluster: LocalCluster, topic: str) -> None:
    person = Person(local_cluster, topic, "-O", "full-table", "--timeout", "5s", size=(20, 80))
    person.see_rows()
    code, lines = person.end()
    assert code == 5
    assert any("timed out" in line for line in lines)


def test_a_window_of_another_size_is_filled(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, *({"n": number} for number in range(50)))
    person = Person(local_cluster, topic, "-B", "-O", "full-table", size=(6, 80))
    person.see_rows("47", "48", "49")
    for lines, columns in ((8, 30), (3, 10), (12, 120)):
        person.screen = Screen(columns, lines, is_other=True, has_cursor=False, wraps=False)
        person.child.setwinsize(lines, columns)
        shown = person.see_rows(*map(str, range(53 - lines, 50)))
        assert [len(line) for line in shown] == [columns] * lines
    person.child.send("\x1b[H")
    person.see_rows(*map(str, range(9)))
    person.child.send("q")
    assert person.end()[0] == 0


def test_a_stopped_command_gives_the_terminal_back_and_takes_it_again(
    local_cluster: LocalCluster, topic: str
) -> None:
    produce(local_cluster, topic, {"n": 1})
    person = Person(local_cluster, topic, "-B", "-O", "full-table")
    person.see_rows("1")
    for number in (2, 3):
        person.child.send("\x1a")
        while person.screen.is_other:
            person.screen.feed(person._more())
        process = psutil.Process(person.child.pid)
        while process.status() != psutil.STATUS_STOPPED:
            os.sched_yield()
        assert person.modes_now() == person.modes
        produce(local_cluster, topic, {"n": number})
        process.send_signal(signal.SIGCONT)
        person.see_rows(*map(str, range(1, number + 1)))
        assert person.modes_now() != person.modes
    person.child.send("q")
    assert person.end()[0] == 0


def test_without_colours_or_a_keyboard_it_does_what_it_can(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, {"n": 1})
    person = Person(local_cluster, topic, "-B", "-O", "full-table", NO_COLOR="1")
    person.see_rows("1")
    person.child.send("q")
    assert (person.end()[0], person.screen.styles) == (0, {"0"})
    script = f'exec < /dev/null; "{local_cluster.executable}" consume {topic} -B -O full-table'
    child: pexpect.spawn[str] = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        env={**local_cluster.env, "TERM": "xterm"},
        encoding="utf-8",
        timeout=TIMEOUT_S,
        dimensions=(10, 80),
    )
    child.expect_exact("┌Items: 1─")
    child.sendintr()
    child.expect_exact(_CURSOR_IS_SHOWN)
    child.expect_exact(CLOSED)
    child.expect(pexpect.EOF)


def test_a_terminal_that_cannot_be_drawn_on_gets_the_table_at_the_end(
    local_cluster: LocalCluster, topic: str
) -> None:
    produce(local_cluster, topic, {"a": 1})
    child: pexpect.spawn[str] = pexpect.spawn(
        str(local_cluster.executable),
        ["consume", topic, "-B", "-O", "full-table"],
        env={**local_cluster.env, "TERM": "dumb"},
        encoding="utf-8",
        timeout=TIMEOUT_S,
    )
    child.expect_exact("the table is printed when the stream ends")
    produce(local_cluster, topic, {"a": 2})
    child.sendintr()
    child.expect_exact("+---+\r\n| a |\r\n+===+\r\n| 1 |\r\n")
    child.expect_exact(f"+---+\r\n{CLOSED}\r\n")
    child.expect(pexpect.EOF)
    assert "\x1b" not in child.before


def test_a_script_gets_the_last_state_of_each_key(local_cluster: LocalCluster, topic: str) -> None:
    records = [{"id": number % 3, "up": {"now": number}} for number in range(100)]
    produce(local_cluster, topic, *records, "x")
    words = ("consume", topic, "-B", "-O", "full-table")
    done = local_cluster.run(*words, "-d", "--table-format", topic)
    assert done.stdout == (
        "+------+--------+\n| Host | up.now |\n+===============+\n"
        "| 0    | 99     |\n| 1    | 97     |\n| 2    | 98     |\n+------+--------+\n"
    )
    assert done.stderr == "records that are no JSON objects: 1\n"
    counted = local_cluster.run(*words, "-n", "2", "-c", "counting").stdout
    assert counted.splitlines()[3:-1] == ['| 0  | {"now": 0} |', '| 1  | {"now": 1} |']
    rest = local_cluster.run(*words, "-d", "-c", "counting").stdout
    assert len(rest.splitlines()[3:-1]) == 98
    unknown = local_cluster.run(*words, "-d", "--where", "id == `7`", "--suppress-unknown")
    assert (unknown.stdout, unknown.stderr) == ("", "")
    command = f'"{local_cluster.executable}" consume {topic} -B -d -O full-table 2>&-'
    script = f'{command} | head -1; echo "${{PIPESTATUS[0]}}"'
    shell = pexpect.run(f"bash -c '{script}'", env=local_cluster.env, timeout=TIMEOUT_S)
    assert shell.decode().split() == ["+----+-------------+", "0"]


def test_a_format_that_is_not_there_is_an_error_whatever_the_form(
    local_cluster: LocalCluster, topic: str
) -> None:
    for words in ((), ("-O", "table"), ("-O", "full-table"), ("-F", "{{value}}")):
        done = local_cluster.run(
            "consume", topic, "-B", "-d", "--table-format", topic[:-1], *words, check=False
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == f"TableFormat not found: {topic[:-1]}\n"


def test_a_large_topic_shows_its_newest_rows_and_says_so(local_cluster: LocalCluster, topic: str) -> None:
    produce(local_cluster, topic, *({"n": number} for number in range(30_000)))
    person = Person(local_cluster, topic, "-B", "-O", "full-table", size=(6, 80))
    lines = person.see_rows("29997", "29998", "29999")
    assert "Items: 10000─" in lines[0]
    assert lines[-1].startswith("└older rows that are no longer shown: 20000─")
    person.child.send("\x1b[H")
    person.see_rows("20000", "20001", "20002")
    person.child.sendintr()
    assert person.end()[1][1:] == ["older rows that are no longer shown: 20000", CLOSED]
