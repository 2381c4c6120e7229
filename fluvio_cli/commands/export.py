"""`fluvio export`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(
    stands_alone={"schema": ("output", "only")},
    examples=(
        ("Declare what is there", "fluvio export > declared.yaml"),
        ("Topics alone, as TOML", "fluvio export --only topics -O toml > topics.toml"),
        ("The JSON schema of such files, for an editor", "fluvio export --schema > declared.schema.json"),
    ),
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice("yaml", "toml", "json", ignore_case=True),
            help="Output format",
        ),
    ] = "yaml",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="section",
            parser=values.Choice("topics", "table-formats", "profiles", ignore_case=True),
            help="Print this section only; may be repeated",
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of declarations instead")
    ] = False,
) -> None:
    """Print what is there as a declaration for `fluvio plan` and `fluvio apply`.

    Topics and table formats are those of the cluster, profiles those of your profile file, without private
    keys that stand in it. What cannot be declared is named on standard error.
    """
    from fluvio_cli.declared.documents import document_of
    from fluvio_cli.declared.model import Kind
    from fluvio_cli.declared.observing import observe
    from fluvio_cli.declared.view import declaration_view
    from fluvio_cli.output.structured import render_structured

    cli: CliContext = ctx.obj
    if schema:
        from importlib.resources import files

        cli.printer.data(files("fluvio_cli.declared").joinpath("declaration.schema.json").read_text("utf-8"))
        return
    kinds = [kind for kind in Kind if not only or kind.section in only]
    observed = observe(cli, kinds)
    documents = {
        kind: {
            name: document_of(kind, spec, with_keys=False) for name, spec in observed.objects[kind].items()
        }
        for kind in kinds
    }
    cli.printer.data(render_structured(declaration_view(documents, kinds), output))
    cli.printer.flush()
    for kind in kinds:
        for name, reason in sorted(observed.left_out.get(kind, {}).items()):
            cli.printer.note(f'{kind} "{name}" is left out: {reason}')
