"""`fluvio benchmark matrix`, which is `fluvio benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.benchmark import options
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES


@rules(
    effect=WRITES,
    examples=(
        ("Six runs that say much", "fluvio benchmark"),
        ("Every combination of the lists in a file", "fluvio benchmark matrix --config matrix.yaml"),
    ),
)
def command(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c",
            "--config",
            metavar="CONFIG",
            parser=Path,
            help="YAML file: settings, each with a value or a list of values",
        ),
    ] = None,
    output: options.Output = "table",
    compare: options.Compare = None,
    fail_above: options.FailAbove = None,
) -> None:
    """Run a series of benchmarks.

    Settings in the file are those of `fluvio benchmark producer`, such as `record_size: [512, 5kib]`; every
    combination is run.
    """
    from fluvio_cli.benchmark.matrix import built_in, read_matrix
    from fluvio_cli.benchmark.session import Wishes, run_jobs

    cli: CliContext = ctx.obj
    jobs = built_in() if config is None else read_matrix(config)
    run_jobs(cli, jobs, Wishes(output, compare=compare, fail_above=fail_above))
