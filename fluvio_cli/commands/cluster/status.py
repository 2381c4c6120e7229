"""`fluvio cluster status`."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import failures, values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import Name, ProgressLines, aimed_at, announce_channel, places
from fluvio_cli.context import CliContext
from fluvio_types.errors import FluvioError, NotSupportedYetError

if TYPE_CHECKING:
    from fluvio_local_cluster.lifecycle.status import SpuCount, TopicUse


@dataclass(slots=True)
class StatusView:
    """What `-O json` shows (docs/cli-json-output.md, "cluster status"); None: not known."""

    profile: str | None
    endpoint: str
    is_reachable: bool = False
    platform_version: str | None = None
    spus: "SpuCount | None" = None
    topics: "TopicUse | None" = None
    lost_files: "list[str]" = field(default_factory=list)
    metrics: "list[tuple[str, str]]" = field(default_factory=list)  # of which server, and where

    def document(self) -> dict[str, Any]:
        """The view as plain data."""
        return {
            "profile": self.profile,
            "endpoint": self.endpoint,
            "reachable": self.is_reachable,
            "platformVersion": self.platform_version,
            "spus": None if self.spus is None else {"online": self.spus.online, "total": self.spus.total},
            "topics": None
            if self.topics is None
            else {"count": self.topics.topics, "sizeBytes": self.topics.size_bytes},
            "lostFiles": self.lost_files,
            "metrics": [{"server": server, "url": url} for server, url in self.metrics],
        }


@rules(
    examples=(
        ("Check the current profile's cluster", "fluvio cluster status"),
        ("For a script: the exit code says whether records can be stored", "fluvio cluster status -O json"),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
    name: Name = None,
) -> int:
    """Check the status of a cluster.

    Exit code 4 says that the cluster cannot be reached, 6 that no SPU is online. The details are shown on a
    terminal, or where `CI` is set. `cluster health` goes further: it stores a record on each SPU.
    """
    cli: CliContext = aimed_at(ctx.obj, name)
    announce_channel(cli)
    target = cli.target()
    view = StatusView(target.profile_name, target.endpoint)
    progress = ProgressLines(cli.printer)
    shown = target.profile_name or target.endpoint
    progress.headline(f"📝 Running cluster status checks with profile {shown}")
    _look_at_local_state(cli, view)
    try:
        _ask(cli, view, progress, shown)
    finally:
        if output != "table":
            from fluvio_cli.output.structured import render_structured

            cli.printer.data(render_structured(view.document(), output))
    return failures.DONE if view.spus is not None and view.spus.online else failures.UNHEALTHY


def _look_at_local_state(cli: CliContext, view: StatusView) -> None:
    """What only this machine knows, where the cluster is one of it; warns of damaged metadata."""
    from fluvio_local_cluster.lifecycle.errors import LocalClusterError
    from fluvio_local_cluster.lifecycle.metadata_files import lost_files
    from fluvio_local_cluster.lifecycle.places import find_state

    try:
        state = find_state(places(cli), view.endpoint)
    except LocalClusterError:
        return
    view.metrics = [
        (server.plan.label, server.plan.metrics_url)
        for server in state.servers
        if server.plan.metrics_url is not None
    ]
    view.lost_files = [str(path) for path in lost_files(state.settings.data_dir)]
    for path in view.lost_files:
        cli.printer.note(f"warning: damaged metadata were set aside, a topic or partition is lost: {path}")
    if view.lost_files:
        cli.printer.note("hint: put them right and move them back, or remove them, then restart the cluster")


def _ask(cli: CliContext, view: StatusView, progress: ProgressLines, name: str) -> None:
    """Fill the view, show each finding; raises what the client does."""
    from fluvio_local_cluster.lifecycle.status import count_spus, measure_topics

    progress.step("    📝 Checking SC")
    with ExitStack() as connected:
        try:
            admin = connected.enter_context(cli.connect())
        except FluvioError as exc:
            progress.step(f"    ❌ Unable to reach cluster on profile {name}")
            if exc.kind == "failed" and not isinstance(exc, NotSupportedYetError):
                exc.kind = "cannot-connect"
            raise
        view.is_reachable, view.platform_version = True, admin.platform_version
        progress.step("    ✅ SC is ok")
        progress.step("    📝 Checking SPUs")
        spus = view.spus = count_spus(admin)
        if not spus.online:
            progress.step("    ❌ No SPUs are online")
        else:
            mark = "✅" if spus.online == spus.total else "🟡"
            progress.step(f"    {mark} ({spus.online}/{spus.total}) SPUs are online")
        progress.step("    📝 Checking Topics")
        use = view.topics = measure_topics(admin)
        size = values.format_byte_size(use.size_bytes)
        progress.step(
            f"    ✅ {use.topics} topics using {size}" if use.topics else "    🟡 No topics present"
        )
    for server, url in view.metrics:
        progress.step(f"    📈 {server} tells its metrics at {url}")
