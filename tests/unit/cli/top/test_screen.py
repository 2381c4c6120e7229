"""The screen, driven by Textual's pilot; figures come from a source in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from fluvio_cli.profile_check import ProfileCheck
from fluvio_cli.top.follow import Follower, Mailbox, TailPicture, watch_clusters
from fluvio_cli.top.model import (
    MOST_ROWS,
    ConsumerFigures,
    History,
    PartitionFigures,
    Sample,
    SpuFigures,
    TopicFigures,
)
from fluvio_cli.top.screen import KEYS, Pane, TopApp
from fluvio_cli.top.tail import Tail, TailRecord

SIZE = (100, 36)


class IdleSource:
    """Has nothing to tell: the tests put pictures into the mailbox themselves."""

    def __init__(self) -> None:
        self.followed: list[tuple[str, int]] = []

    def take(self) -> Sample:
        return Sample(0.0, "0.18.2")

    def follow(self, tail: Tail, sample: Sample) -> None:
        self.followed.append((tail.topic, tail.partition))

    def close(self) -> None:
        """Nothing is open."""


class Idle:
    """In place of the threads; keeps what the screen wants to follow."""

    def __init__(self) -> None:
        self.followed: list[tuple[str, int]] = []
        self.pauses: list[bool] = []
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def stop(self) -> None:
        self.is_running = False

    def follow(self, topic: str, partition: int) -> None:
        self.followed.append((topic, partition))

    def pause(self, is_paused: bool) -> None:
        self.pauses.append(is_paused)


class Stage:
    """An application with a mailbox, and what is to be seen."""

    def __init__(self) -> None:
        self.mailbox, self.follower, self.history = Mailbox(), Idle(), History()
        clusters: Any = Idle()
        follower: Any = self.follower
        self.app = TopApp("local at 127.0.0.1:9003", self.mailbox, follower, clusters)

    async def show(self, pilot: Pilot[None], **changes: Any) -> None:
        self.mailbox.put(**changes)
        await pilot.pause()

    async def sample(
        self, pilot: Pilot[None], at_s: float, ends: dict[str, Sequence[int]], **more: Any
    ) -> None:
        topics = [TopicFigures(name, "provisioned", len(each)) for name, each in ends.items()]
        partitions = [
            PartitionFigures(name, number, 5001, True, 0, end, 100)
            for name, each in ends.items()
            for number, end in enumerate(each)
        ]
        spus = more.pop("spus", [SpuFigures(5001, "h:9010", "Online")])
        taken = Sample(at_s, "0.18.2", topics, partitions, spus, **more)
        await self.show(pilot, standing=self.history.take(taken), lost="")

    def rows(self, pane: str) -> list[list[str]]:
        table = self.app.query_one(f"#{pane}", Pane)
        return [[str(cell) for cell in table.get_row_at(place)] for place in range(table.row_count)]

    def text(self, name: str) -> str:
        return str(self.app.query_one(f"#{name}", Static).render())


def play(act: Callable[[Stage, Pilot[None]], Awaitable[None]]) -> Stage:
    stage = Stage()

    async def run() -> None:
        async with stage.app.run_test(size=SIZE) as pilot:
            await act(stage, pilot)

    asyncio.run(run())
    assert not stage.follower.is_running
    return stage


def test_panes_show_what_a_sample_tells_and_change_with_the_next() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        assert "waiting for the cluster" in stage.text("notice")
        consumers = [ConsumerFigures("[red]c", "b", 0, 3)]
        await stage.sample(pilot, 0.0, {"a": [5, 6], "b": [1000]}, consumers=consumers)
        assert stage.rows("topics") == [
            ["a", "2", "11", "200 B", "-", "-"],
            ["b", "1", "1,000", "100 B", "-", "-"],
        ]
        assert stage.rows("spus") == [["5001", "Online", "3", "h:9010"]]
        assert stage.rows("consumers") == [["[red]c", "b-0", "3", "996"]]
        await stage.sample(pilot, 2.0, {"a": [5, 6], "b": [1100]})
        assert [row[4] for row in stage.rows("topics")] == ["0", "50"]
        assert stage.rows("consumers") == []
        assert "50 records/s" in stage.text("title")

    play(act)


def test_a_lost_connection_is_shown_beside_the_last_figures_until_it_is_back() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await stage.sample(pilot, 0.0, {"a": [5]}, remarks=["SPU 5002: gone"])
        assert stage.text("notice") == "SPU 5002: gone"
        await stage.show(pilot, lost="connection refused")
        assert stage.text("notice") == "no connection, trying again: connection refused"
        assert len(stage.rows("topics")) == 1
        await stage.sample(pilot, 1.0, {"a": [5]})
        assert not stage.app.query_one("#notice").display

    play(act)


def test_clusters_have_a_state_and_the_watched_one_a_star() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        good = ProfileCheck("local", "local", "127.0.0.1:9003")
        await stage.show(pilot, clusters=[good, ProfileCheck("far", "far", "far:9003")])
        assert stage.rows("clusters") == [
            ["*", "local", "ok", "127.0.0.1:9003"],
            ["", "far", "ok", "far:9003"],
        ]

    play(act)


def test_the_cursor_stays_with_its_topic_and_chooses_what_is_followed() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await stage.sample(pilot, 0.0, {"b": [0, 0, 0], "c": [0]})
        await pilot.press("down", "up", "n", "n", "n", "p")
        await stage.sample(pilot, 1.0, {"a": [9], "b": [0, 0, 0], "c": [7]})
        await pilot.press("s")
        await pilot.pause()
        assert [row[0] for row in stage.rows("topics")] == ["c", "a", "b"]
        assert stage.app.query_one("#topics", Pane).chosen == "b"

    followed = play(act).follower.followed
    assert followed == [("b", 0), ("c", 0), ("b", 0), ("b", 1), ("b", 2), ("b", 0), ("b", 2)]


def test_records_of_the_followed_partition_only_are_shown_as_they_are() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await stage.sample(pilot, 0.0, {"a": [2]})
        records = (TailRecord(0, None, "[b]plain[/b]"), TailRecord(1, "key", "value"))
        await stage.show(pilot, tail=TailPicture("a", 0, records, "one was damaged"))
        assert stage.text("records") == "0 [b]plain[/b]\n1 key value\none was damaged"
        assert str(stage.app.query_one("#tail").border_title) == "Records of a-0"
        await stage.show(pilot, tail=TailPicture("other", 0, records))
        assert stage.text("records") == ""

    play(act)


def test_more_topics_than_a_pane_takes_are_counted() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await stage.sample(pilot, 0.0, {f"t{number}": [1] for number in range(MOST_ROWS + 5)})
        pane = stage.app.query_one("#topics", Pane)
        assert pane.row_count == MOST_ROWS
        assert str(pane.border_title) == f"Topics (first {MOST_ROWS} of {MOST_ROWS + 5})"

    play(act)


def test_space_pauses_and_goes_on() -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await pilot.press("space")
        assert "paused" in stage.text("title")
        await pilot.press("space")
        assert "paused" not in stage.text("title")

    assert play(act).follower.pauses == [True, False]


@pytest.mark.parametrize("key", ["q", "escape", "ctrl+c"])
def test_keys_end_it_and_the_footer_names_them(key: str) -> None:
    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        assert all(f"{name} {what}" in stage.text("keys") for name, what in KEYS)
        await pilot.press(key)
        assert not stage.app.is_running or stage.app._exit

    play(act)


def test_a_fault_ends_the_screen_with_it() -> None:
    fault = ZeroDivisionError("a bug")

    async def act(stage: Stage, pilot: Pilot[None]) -> None:
        await stage.show(pilot, failure=fault)

    assert play(act).app.failure is fault


def test_the_real_threads_stop_with_the_screen() -> None:
    source, mailbox = IdleSource(), Mailbox()
    clusters = watch_clusters(list, mailbox, 60.0)
    app = TopApp("x", mailbox, Follower(source, mailbox, 60.0), clusters)

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            while app._picture.standing is None or app._picture.clusters is None:
                await pilot.pause()
            assert not app.query_one("#notice").display

    asyncio.run(run())
    assert app.failure is None
    assert not clusters._thread.is_alive()
