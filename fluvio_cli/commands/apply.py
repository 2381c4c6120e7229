"""`fluvio apply`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.plan import FILE_HELP
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect

if TYPE_CHECKING:
    from fluvio_cli.declared.applying import Result
    from fluvio_cli.declared.model import Plan, Step
    from fluvio_cli.declared.view import Place


@rules(
    effect=Effect(told_later=True),
    examples=(
        ("Make the cluster as a file declares it", "fluvio apply -f declared.yaml"),
        ("Without a question, for scripts", "fluvio apply -f declared.yaml --yes"),
        ("Delete what is not declared as well", "fluvio apply -f declared.yaml --prune --yes"),
    ),
)
def command(
    ctx: typer.Context,
    file: Annotated[list[str], typer.Option("-f", "--file", metavar="PATH", help=FILE_HELP)],
    prune: Annotated[bool, typer.Option("--prune", help="Delete what is there and not declared")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask")] = False,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice("table", "json", "yaml", ignore_case=True),
            help="Output format",
        ),
    ] = "table",
) -> None:
    """Make topics, table formats and profiles as files declare them.

    Only what differs is changed, so it may be called at any time. It ends when all partitions are online, or
    says what is missing. Only `--prune` deletes. Exit code 8: some differences remain, since they cannot
    be changed. docs/declared-state.md describes the files.
    """
    from fluvio_cli.declared.applying import Result, Work, check_done
    from fluvio_cli.declared.observing import observe, place_of
    from fluvio_cli.declared.planning import plan
    from fluvio_cli.declared.reading import read_declaration
    from fluvio_cli.declared.view import done_text, outcome_view, result_text
    from fluvio_cli.output.structured import render_structured
    from fluvio_client.blocking import BlockingAdmin

    cli: CliContext = ctx.obj
    declaration = read_declaration(file, cli.stdin)
    place = place_of(cli, declaration)
    # Kept, since a step may change the profile that leads to the cluster.
    target = cli.target() if declaration.needs_cluster else None
    found = plan(declaration, observe(cli, declaration.objects, declaration), prune=prune)
    _confirm(cli, found, place, yes=yes)

    def tell(step: "Step", result: "Result") -> None:
        from fluvio_cli.declared.model import Action, Kind

        if step.kind is Kind.TOPIC and step.action is Action.DELETE and result is Result.DONE:
            cli.name_cache().remove("topic", step.name)
        line = result_text(step, result, work.problems.get((step.kind, step.name)))
        if output != "table":
            return
        if result is Result.FAILED:
            cli.printer.note(line)
        else:
            cli.printer.message(line)
            cli.printer.flush()

    work = Work(
        found,
        lambda: BlockingAdmin.connect(
            target or cli.target(), client_id=cli.client_id, timeout_s=cli.socket_wait_s
        ),
        cli.profile_path,
        wait_s=cli.socket_wait_s,
        tell=tell,
    )
    try:
        with cli.printer.busy(work.progress):
            work.run()
    except KeyboardInterrupt:
        done = work.count(Result.DONE)
        cli.printer.note(f"{done} of {len(found.to_do)} done; the same command goes on with the rest")
        raise
    if output != "table":
        cli.printer.data(render_structured(outcome_view(found, place, work.results, work.problems), output))
    check_done(found, work)
    if output == "table":
        cli.printer.message(done_text(found))


def _confirm(cli: CliContext, plan: "Plan", place: "Place", *, yes: bool) -> None:
    """Hold the plan to the cluster's protection, and ask; raises where it must not be carried out."""
    from fluvio_cli import guard
    from fluvio_cli.commands.cluster.delete import NotATerminalError
    from fluvio_cli.declared.errors import NotConfirmedError
    from fluvio_cli.declared.model import CLUSTER_KINDS, Action, Kind
    from fluvio_cli.declared.view import plan_text

    if not plan.to_do:
        return
    can_ask = cli.stdin.isatty() and cli.printer.stderr_is_terminal
    deletes = bool(plan.of(Action.DELETE))
    if can_ask and not yes:
        cli.printer.error(plan_text(plan, place, lambda text, _: text).rstrip("\n"))
    of_cluster = [
        step for step in plan.to_do if step.kind in CLUSTER_KINDS and step.action is not Action.WAIT
    ]
    answers = {"yes": yes}
    if of_cluster:
        # A table format is changed by putting another in its place.
        destroys = any(
            step.action is Action.DELETE or (step.kind is Kind.TABLE_FORMAT and step.action is Action.CHANGE)
            for step in of_cluster
        )
        guard.check("fluvio apply", Effect(destroys=destroys, answers="yes"), answers, cli)
    if answers["yes"]:
        return
    if not can_ask:
        if deletes:
            raise NotATerminalError("use `--yes` to delete without being asked")
        return
    cli.printer.stderr.write("type `yes` to go on: ")
    cli.printer.stderr.flush()
    if cli.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmedError
