"""`fluvio cluster run`."""

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.report_options import Bundle, Junit
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.declared.model import Declaration
    from fluvio_cli.reports.after_run import Plan
    from fluvio_local_cluster.lifecycle.ephemeral import EphemeralCluster

_READY_S = 20.0
_PROFILE_CHOICES = ("FLUVIO_PROFILE", "FLV_PROFILE_PATH")


def parse_topic(text: str) -> tuple[str, int]:
    """A parser for `name` or `name:partitions`."""
    name, colon, count = text.partition(":")
    if not colon:
        return name, 1
    if not (count.isascii() and count.isdigit()) or not 0 < int(count) <= 10_000:
        raise ValueError("write it as NAME or NAME:PARTITIONS")
    return name, int(count)


@rules(
    one_of=(("ephemeral",),),
    examples=(
        ("Run tests against a cluster of their own", "fluvio cluster run --ephemeral -- pytest -q"),
        (
            "With two SPUs and a topic that is there already",
            "fluvio cluster run --ephemeral --spu 2 --topic orders:4 -- fluvio partition list",
        ),
        (
            "With topics that a file declares",
            "fluvio cluster run --ephemeral --topics topics.yaml -- fluvio topic list",
        ),
        (
            "In CI: a report of tests, and an archive for those that fail",
            "fluvio cluster run --ephemeral --junit run.xml --bundle bundle.tar.gz -- pytest -q",
        ),
        (
            "Look at what a failing program has left",
            "fluvio cluster run --ephemeral --keep-on-failure -- ./flaky.sh",
        ),
    ),
)
def command(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="COMMAND", help="Program and arguments, behind `--`")],
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="On a cluster that is there for this command only")
    ] = False,
    spu: Annotated[int, typer.Option("--spu", metavar="SPU", parser=values.u16, help="Number of SPUs")] = 1,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="NAME[:PARTITIONS]",
            parser=parse_topic,
            help="Create this topic before the command starts (repeatable)",
        ),
    ] = None,
    topics: Annotated[
        str | None,
        typer.Option(
            "--topics",
            metavar="FILE",
            help="Create what this file declares before the command starts (docs/declared-state.md)",
        ),
    ] = None,
    keep_on_failure: Annotated[
        bool,
        typer.Option(
            "--keep-on-failure", help="Keep data and server output when the command fails, and say where"
        ),
    ] = False,
    bundle: Bundle = None,
    junit: Junit = None,
) -> None:
    """Run a command on a cluster of its own, and leave nothing.

    The cluster is in a temporary directory, on free ports, with a profile file of its own; a record has
    gone to each SPU and back before the command starts. FLV_PROFILE_PATH leads every client to it, and
    FLUVIO_ENDPOINT is the controller's address, FLUVIO_CLUSTER_DIR the directory. The exit code is the
    command's, and signals are passed on to it; when it has ended, or this process was killed, servers and
    files are gone.
    """
    import shlex
    import time

    from fluvio_cli.manners import limit
    from fluvio_cli.reports import after_run
    from fluvio_cli.reports.judging import checked_place, ending_by_terminate, wish_of

    cli: CliContext = ctx.obj
    plan = after_run.Plan(
        shlex.join(words),
        wish_of(cli.environment, junit),
        None if bundle is None else checked_place(bundle, or_directory=True),
        [],
        time.monotonic(),
        limit.text,
    )
    wanted: list[tuple[str, int]] = topic or []  # type: ignore[assignment]  # parsed
    job = _Job(cli, plan, words, spu, wanted, topics, keep_on_failure)
    if not plan:
        _run(job)
        return
    with ending_by_terminate():
        try:
            _run(job)
        except BaseException as exc:
            plan.tell_failure(exc, cli.printer, cli.environment)
            raise


class _Job(NamedTuple):
    """One call."""

    cli: CliContext
    plan: "Plan"
    words: list[str]
    spu: int
    topics: list[tuple[str, int]]
    topic_file: str | None
    keep_on_failure: bool


def _run(job: _Job) -> None:
    from fluvio_local_cluster.lifecycle.ephemeral import become_runner
    from fluvio_local_cluster.lifecycle.progress import Silent

    cli, plan = job.cli, job.plan
    outside = {name: value for name, value in cli.environment.items() if name not in _PROFILE_CHOICES}
    declaration = None
    if job.topic_file is not None:
        from fluvio_cli.declared.reading import read_declaration

        declaration = read_declaration([job.topic_file], cli.stdin)

    def before_removal(cluster: "EphemeralCluster") -> None:
        if plan.bundle is not None:
            from fluvio_cli.diagnostics.bundle import write_bundle

            profile_file = cluster.places.profile_file
            write_bundle(plan.bundle, cluster.data_dir, profile_file, cli.environment, cli.printer)

    become_runner(
        outside,
        cli.client_id,
        Silent(),
        job.words,
        lambda cluster: _make_ready(job, cluster, declaration),
        spu_count=job.spu,
        keep_on_failure=job.keep_on_failure,
        before_removal=before_removal,
        after=plan.words if plan else None,
        limit=plan.limit,
    )


def _make_ready(job: _Job, cluster: "EphemeralCluster", declaration: "Declaration | None") -> None:
    """A real record to each SPU and back; then the topics. Raises what the client raises."""
    from dataclasses import replace

    from fluvio_cli.health.attempts import HealthJob, examine
    from fluvio_cli.streaming.interrupt import run
    from fluvio_profiles.resolve import TargetOptions

    cli = job.cli
    inside = replace(
        cli,
        environment={**cli.environment, **cluster.variables()},
        profile_path=cluster.places.profile_file,
        target_options=TargetOptions(),
        directory=None,
    )
    check = HealthJob(_READY_S, wait=True)
    run(lambda interrupt: examine(inside, check, interrupt))
    failure = check.failure()
    if failure is not None:
        raise failure
    job.plan.note("cluster starts")
    if job.topics:
        _create(inside, job.topics, job.plan)
    if declaration is not None:
        _apply(inside, declaration, job.plan)
    cli.printer.flush()


def _create(inside: CliContext, topics: list[tuple[str, int]], plan: "Plan") -> None:
    from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec

    with inside.connect() as admin:
        for name, partitions in topics:
            plan.begin(f'topic "{name}"')
            admin.create_topic(name, TopicSpec(replicas=TopicReplicaParam(partitions=partitions)))
            plan.note(f'topic "{name}"')


def _apply(inside: CliContext, declaration: "Declaration", run_plan: "Plan") -> None:
    """Raises what keeps any of it from being there."""
    from fluvio_cli.declared.applying import Work, check_done
    from fluvio_cli.declared.observing import observe
    from fluvio_cli.declared.planning import plan
    from fluvio_cli.declared.view import title
    from fluvio_client.blocking import BlockingAdmin

    found = plan(declaration, observe(inside, declaration.objects, declaration), prune=False)
    work = Work(
        found,
        lambda: BlockingAdmin.connect(inside.target(), client_id=inside.client_id),
        inside.profile_path,
        wait_s=_READY_S,
        tell=lambda _step, _result: None,
    )
    run_plan.begin("declared objects")
    work.run()
    for step in found.steps:
        run_plan.note(title(step), work.problems.get((step.kind, step.name)))
    check_done(found, work)
