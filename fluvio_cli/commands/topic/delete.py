"""`fluvio topic delete`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import DESTROYS

if TYPE_CHECKING:
    from fluvio_client.blocking import BlockingAdmin


@rules(
    effect=DESTROYS,
    examples=(
        ("Delete two topics", "fluvio topic delete one two"),
        ("Delete what is there of three, and tell what was not", "fluvio topic delete -c one two three"),
    ),
)
def command(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="name", help="Names of the topics")],
    continue_on_error: Annotated[
        bool, typer.Option("-c", "--continue-on-error", help="Go on with the next topic after a failure")
    ] = False,
    system: Annotated[
        bool, typer.Option("-s", "--system", help="Allow internal topics to be deleted")
    ] = False,
    force: Annotated[bool, typer.Option("-f", "--force", help="Do not ask before an internal topic")] = False,
) -> None:
    """Delete one or more topics with the given names.

    Their records are deleted with them.
    """
    from fluvio_cli.commands.topic.failure import reworded
    from fluvio_protocol.error_code import ApiError
    from fluvio_types.errors import FluvioError

    cli: CliContext = ctx.obj
    failed = False
    with cli.connect() as admin:
        internal = {topic.name for topic in admin.list_topics(system=True)} if system else set()
        for name in names:
            is_internal = name in internal
            if is_internal and not force and not _confirmed(cli, name):
                cli.printer.message("Aborted")
                return
            try:
                _delete(cli, admin, name, is_internal=is_internal)
            except ApiError as exc:
                error = reworded(exc, name)
                if not continue_on_error:
                    raise error from exc
                cli.printer.message(f'topic "{name}" delete failed with: {error}')
                failed = True
    if failed:
        raise FluvioError("Failed deleting topic(s). Check previous errors.")


def _delete(cli: CliContext, admin: "BlockingAdmin", name: str, *, is_internal: bool) -> None:
    admin.delete_topic(name, force=is_internal)
    cli.name_cache().remove("topic", name)
    cli.printer.message(f'{"system " if is_internal else ""}topic "{name}" deleted')


def _confirmed(cli: CliContext, name: str) -> bool:
    cli.printer.message(
        f"You are trying to delete a system topic '{name}'. It can affect the functioning of the cluster.\n"
        f"{' ' * 29}\n"
        "Are you sure you want to proceed? (y/n)"
    )
    cli.printer.flush()
    if cli.stdin.closed:
        return False
    with cli.printer.still():
        return cli.stdin.readline().strip().lower() in ("y", "yes")
