"""The screen of `fluvio top`: panes of one picture, and keys. The only module that loads Textual."""

import asyncio
import signal
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import DataTable, Static

from fluvio_cli.top.follow import Follower, Mailbox, Picture, Repeated, TailPicture
from fluvio_cli.top.model import (
    MOST_ROWS,
    Standing,
    bars,
    by_rate,
    count_text,
    rate_text,
    shown,
    size_text,
)

# In the footer; Textual's own footer leaves out the keys of its tables.
KEYS = (
    *(("q/Esc", "quit"), ("Tab", "next pane"), ("↑↓", "choose"), ("n/p", "partition")),
    *(("s", "sort by rate"), ("Space", "pause")),
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GOOD = {"ok", "Online", "provisioned"}
_WAITING = {"", "Init", "initializing", "pending"}

Row = tuple[str, Sequence[Text]]  # what identifies it, and its cells


class Pane(DataTable[Text]):
    """A table whose rows are replaced; the cursor stays with its row."""

    def __init__(self, title: str, name: str, columns: Sequence[str]) -> None:
        super().__init__(id=name, cursor_type="row", zebra_stripes=False)
        self.border_title = title
        self._title, self._columns, self._shown = title, columns, dict[str, Sequence[Text]]()

    def on_mount(self) -> None:
        """Make the columns."""
        for column in self._columns:
            self.add_column(Text(column), key=column)

    @property
    def chosen(self) -> str | None:
        """What identifies the row under the cursor."""
        names = list(self._shown)
        return names[self.cursor_row] if 0 <= self.cursor_row < len(names) else None

    def fill(self, rows: Sequence[Row]) -> None:
        """Show these rows, at most `MOST_ROWS` of them."""
        wanted = dict(rows[:MOST_ROWS])
        more = f" (first {MOST_ROWS} of {len(rows)})" if len(rows) > MOST_ROWS else ""
        self.border_title = f"{self._title}{more}"
        if list(wanted) == list(self._shown):
            for name, cells in wanted.items():
                for column, before, now in zip(self._columns, self._shown[name], cells, strict=True):
                    if before != now:
                        self.update_cell(name, column, now, update_width=True)
        else:
            chosen, offset = self.chosen, self.scroll_offset
            self.clear()
            for name, cells in wanted.items():
                self.add_row(*cells, key=name)
            if chosen in wanted:
                self.move_cursor(row=list(wanted).index(chosen), scroll=False)
                self.scroll_to(offset.x, offset.y, animate=False)
        self._shown = wanted


class TopApp(App[None]):
    """Draws what is in a mailbox whenever it rings. `follower` and `clusters` run while it does."""

    TITLE = "fluvio top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #title, #keys { height: 1; padding: 0 1; background: $primary-background; }
    #upper { height: 2fr; }
    #left { width: 4fr; }
    #right { width: 3fr; }
    Pane, #tail { border: round $primary; border-title-color: $text; height: 1fr; scrollbar-size: 0 1; }
    Pane:focus, #tail:focus { border: round $accent; }
    #topics { height: 2fr; }
    #notice { height: auto; max-height: 3; padding: 0 1; color: $text-error; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave"),
        Binding("ctrl+c,ctrl+q", "leave", priority=True),
        Binding("n", "partition(1)"),
        Binding("p", "partition(-1)"),
        Binding("s", "sort"),
        Binding("space", "pause"),
    ]

    def __init__(self, title: str, mailbox: Mailbox, follower: Follower, clusters: Repeated) -> None:
        """`title` says which cluster it is."""
        super().__init__()
        self._about, self._mailbox, self._follower, self._clusters = title, mailbox, follower, clusters
        self._picture = Picture()
        self._sorts_by_rate = self._is_paused = False
        self._followed: tuple[str, int] | None = None
        self.failure: BaseException | None = None

    class Rung(Message):
        """The mailbox has something new."""

    def compose(self) -> ComposeResult:
        """The panes."""
        yield Static(id="title", markup=False)
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield Pane("Topics", "topics", ("TOPIC", "PARTS", "RECORDS", "BYTES", "REC/S", "BYTES/S"))
                yield Pane("Consumers", "consumers", ("CONSUMER", "PARTITION", "OFFSET", "LAG"))
            with Vertical(id="right"):
                yield Pane("Clusters", "clusters", ("", "PROFILE", "STATE", "ADDRESS"))
                yield Pane("SPUs", "spus", ("ID", "STATE", "LEADS", "ADDRESS"))
        with VerticalScroll(id="tail", can_focus=True):
            yield Static(id="records", markup=False)
        yield Static(id="notice", markup=False)
        yield Static(_keys_text(), id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to ask; signals end it as keys do."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            try:
                loop.add_signal_handler(number, self.action_leave)
            except (RuntimeError, ValueError):  # not in the main thread: nobody sends signals here
                break
        self.query_one("#topics").focus()
        self._mailbox.ring = self._ring
        self._draw()
        self._follower.start()
        self._clusters.start()

    def on_unmount(self) -> None:
        """Ask no more."""
        self._mailbox.ring = lambda: None
        self._follower.stop()
        self._clusters.stop()

    def on_top_app_rung(self) -> None:
        """Draw what is new."""
        self._picture = self._mailbox.take()
        if self._picture.failure is not None:
            self.failure = self._picture.failure
            self.exit()
            return
        self._draw()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Another topic: follow its first partition."""
        if event.data_table.id == "topics":
            self._follow_chosen(0)

    def _ring(self) -> None:
        self.post_message(self.Rung())

    def action_leave(self) -> None:
        """End."""
        self.exit()

    def action_partition(self, step: int) -> None:
        """Follow another partition of the topic."""
        self._follow_chosen(step)

    def action_sort(self) -> None:
        """Order topics by rate, or by name again."""
        self._sorts_by_rate = not self._sorts_by_rate
        self._draw()

    def action_pause(self) -> None:
        """Keep the figures as they are, or go on."""
        self._is_paused = not self._is_paused
        self._follower.pause(self._is_paused)
        self._draw()

    # --- drawing -------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        picture = self._picture
        self.query_one("#title", Static).update(self._title_text(picture.standing))
        notice = self.query_one("#notice", Static)
        said = self._notices(picture)
        notice.display = bool(said)
        notice.update(Text("\n".join(said), no_wrap=True, overflow="ellipsis"))
        if picture.standing is not None:
            self._draw_standing(picture.standing)
        if picture.clusters is not None:
            self.query_one("#clusters", Pane).fill(
                [
                    (
                        each.profile or "",
                        (
                            _text("*" if f"{each.profile or ''} at {each.endpoint}" == self._about else ""),
                            _text(each.profile or ""),
                            _state(each.result),
                            _text(each.endpoint or ""),
                        ),
                    )
                    for each in picture.clusters
                ]
            )
        self._draw_tail(picture.tail)

    def _draw_standing(self, standing: Standing) -> None:
        topics = by_rate(standing.topics) if self._sorts_by_rate else standing.topics
        pane = self.query_one("#topics", Pane)
        pane.fill(
            [
                (
                    row.name,
                    (
                        _state(row.name, row.status),
                        _number(count_text(row.partitions)),
                        _number(count_text(row.records)),
                        _number(size_text(row.size)),
                        _number(rate_text(row.records_per_s)),
                        _number(size_text(row.bytes_per_s)),
                    ),
                )
                for row in topics
            ]
        )
        if self._followed is None or self._followed[0] != pane.chosen:
            self._follow_chosen(0)
        self.query_one("#spus", Pane).fill(
            [
                (
                    str(spu.id),
                    (
                        _number(str(spu.id)),
                        _state(spu.status),
                        _number(count_text(standing.leads.get(spu.id, 0))),
                        _text(spu.address),
                    ),
                )
                for spu in standing.sample.spus
            ]
        )
        self.query_one("#consumers", Pane).fill(
            [
                (
                    f"{each.consumer}\0{each.topic}\0{each.partition}",
                    (
                        _text(each.consumer),
                        _text(f"{each.topic}-{each.partition}"),
                        _number(count_text(each.offset)),
                        _number(count_text(lag)),
                    ),
                )
                for each, lag in zip(standing.sample.consumers, standing.lags, strict=True)
            ]
        )

    def _draw_tail(self, tail: TailPicture | None) -> None:
        pane = self.query_one("#tail", VerticalScroll)
        if self._followed is None:
            pane.border_title = Text("Records")
            return
        topic, partition = self._followed
        pane.border_title = Text(f"Records of {shown(topic)}-{partition}")
        lines: list[Text] = []
        if tail is not None and (tail.topic, tail.partition) == self._followed:
            for record in tail.records:
                line = Text(f"{record.offset} ", style="dim", no_wrap=True, overflow="ellipsis")
                if record.key is not None:
                    line.append(f"{record.key} ", style="cyan not dim")
                line.append(record.value, style="not dim")
                lines.append(line)
            if tail.remark:
                lines.append(Text(tail.remark, style="red"))
        was_at_end = pane.scroll_offset.y >= pane.max_scroll_y
        self.query_one("#records", Static).update(Text("\n", no_wrap=True, overflow="ellipsis").join(lines))
        if was_at_end:
            pane.scroll_end(animate=False)

    def _title_text(self, standing: Standing | None) -> Text:
        text = Text("fluvio top  ", style="bold", no_wrap=True, overflow="ellipsis")
        text.append(shown(self._about), style="not bold")
        if standing is not None:
            text.append(f"  {rate_text(standing.records_per_s)} records/s ", style="not bold")
            text.append(bars(standing.past), style="green not bold")
        if self._is_paused:
            text.append("  paused", style="yellow")
        return text

    def _notices(self, picture: Picture) -> list[str]:
        if picture.lost:
            return [f"no connection, trying again: {picture.lost}"]
        if picture.standing is None:
            return ["waiting for the cluster"]
        return [shown(remark) for remark in picture.standing.sample.remarks]

    def _follow_chosen(self, step: int) -> None:
        """Follow the topic under the cursor: the partition `step` places on if it is followed already."""
        topic, standing = self.query_one("#topics", Pane).chosen, self._picture.standing
        if topic is None or standing is None:
            return
        numbers = [each.partition for each in standing.partitions_of(topic)]
        if not numbers:
            return
        place = 0
        if self._followed is not None and self._followed[0] == topic and self._followed[1] in numbers:
            place = (numbers.index(self._followed[1]) + step) % len(numbers)
        if self._followed != (topic, numbers[place]):
            self._followed = topic, numbers[place]
            self._follower.follow(*self._followed)
            self._draw_tail(self._picture.tail)


def _keys_text() -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for key, what in KEYS:
        text.append(key, style="bold")
        text.append(f" {what}   ")
    return text


def _text(text: str) -> Text:
    return Text(shown(text))


def _number(text: str) -> Text:
    return Text(text, justify="right")


def _state(text: str, state: str | None = None) -> Text:
    """`text` in the colour of a state, by default its own."""
    state = text if state is None else state
    return Text(shown(text), style="green" if state in _GOOD else "yellow" if state in _WAITING else "red")
