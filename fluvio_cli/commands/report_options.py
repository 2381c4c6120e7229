"""The options of commands that write reports for CI systems."""

from typing import Annotated

import typer

Junit = Annotated[
    str | None,
    typer.Option("--junit", metavar="FILE", help="Write what was found to this file as JUnit XML, for CI"),
]
Bundle = Annotated[
    str | None,
    typer.Option(
        "--bundle",
        metavar="PATH",
        help="After a failure write the cluster's diagnostics to this archive, or into this directory",
    ),
]
