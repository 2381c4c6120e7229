"""The option of all commands that write a report for CI systems."""

from typing import Annotated

import typer

Junit = Annotated[
    str | None,
    typer.Option("--junit", metavar="FILE", help="Write what was found to this file as JUnit XML, for CI"),
]
