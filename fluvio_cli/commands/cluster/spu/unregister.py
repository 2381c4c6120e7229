"""`fluvio cluster spu unregister`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import announce_channel
from fluvio_cli.context import CliContext
from fluvio_cli.effect import DESTROYS


@rules(
    effect=DESTROYS,
    conflicts=(("id_", "name"),),
    one_of=(("id_", "name"),),
    examples=(
        ("Take an SPU out of the cluster by its id", "fluvio cluster spu unregister --id 6001"),
        ("By its name", "fluvio cluster spu unregister --name custom-spu-6001"),
    ),
)
def command(
    ctx: typer.Context,
    id_: Annotated[
        int | None,
        typer.Option(
            "-i",
            "--id",
            metavar="ID",
            parser=values.i32,
            help="Unregister by id; needed unless `--name` is given",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("-n", "--name", metavar="string", help="Unregister by name")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Even if it has the only copy of partitions, whose records are out of reach then"
        ),
    ] = False,
) -> None:
    """Unregister a custom SPU from the cluster.

    Its process is not stopped and its files stay, but nobody is sent to it any more.
    """
    from fluvio_protocol.error_code import ApiError, ErrorKind, SpuNotFoundError

    cli: CliContext = ctx.obj
    announce_channel(cli)
    key = name if id_ is None else id_
    assert key is not None, "the rules demand one of them"
    shown = f'"{name}"' if id_ is None else str(id_)
    with cli.connect() as admin:
        try:
            admin.delete_custom_spu(key, force=force)
        except SpuNotFoundError as exc:
            hint = "`fluvio cluster spu list --custom` shows the SPUs there are"
            raise SpuNotFoundError(exc.code, f"spu {shown} not found", hint=hint) from exc
        except ApiError as exc:
            if exc.code.kind is ErrorKind.SPU_ERROR and "the only holder" in str(exc):
                exc.hint = "`--force` unregisters it all the same, and nobody can read these partitions then"
            raise
    cli.printer.hint(f"spu {shown} unregistered")
