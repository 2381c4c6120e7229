"""`fluvio cluster spu register`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import announce_channel
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES

if TYPE_CHECKING:
    from fluvio_client.target import Endpoint


@rules(
    effect=WRITES,
    examples=(
        (
            "Announce an SPU that runs on another machine",
            "fluvio cluster spu register -i 6001 -p spu1.example.com:9010 -v spu1.example.com:9011",
        ),
        (
            "With a name, and another address for clients beside it (`use_spu_local_address` of a profile)",
            "fluvio cluster spu register -i 6002 -n east -r rack1 -p 203.0.113.7:9010 -l 10.0.0.7:9010 "
            "-v 10.0.0.7:9011",
        ),
    ),
)
def command(
    ctx: typer.Context,
    id_: Annotated[int, typer.Option("-i", "--id", metavar="ID", parser=values.i32, help="SPU id")],
    public_server: Annotated[
        str, typer.Option("-p", "--public-server", metavar="host:port", help="Address for clients")
    ],
    private_server: Annotated[
        str, typer.Option("-v", "--private-server", metavar="host:port", help="Address for other SPUs")
    ],
    name: Annotated[
        str | None,
        typer.Option("-n", "--name", metavar="string", help="Name of the SPU (default: custom-spu-<id>)"),
    ] = None,
    rack: Annotated[
        str | None, typer.Option("-r", "--rack", metavar="string", help="Rack in which the SPU stands")
    ] = None,
    public_server_local: Annotated[
        str | None,
        typer.Option(
            "-l",
            "--public-server-local",
            metavar="host:port",
            help="Second address for clients, for those inside the network",
        ),
    ] = None,
) -> None:
    """Register a custom SPU with the cluster: one whose process somebody else starts.

    The SPU is `Init` until its process connects to the controller with the same id.
    """
    from fluvio_protocol.api.spu import CustomSpuSpec, Endpoint, IngressAddr, IngressPort
    from fluvio_protocol.error_code import SpuAlreadyExistsError

    cli: CliContext = ctx.obj
    announce_channel(cli)
    public, private = read_address(public_server), read_address(private_server)
    local = None if public_server_local is None else read_address(public_server_local)
    spec = CustomSpuSpec(
        id=id_,
        public_endpoint=IngressPort(port=public.port, ingress=[IngressAddr(hostname=public.host)]),
        private_endpoint=Endpoint(port=private.port, host=private.host),
        rack=rack,
        public_endpoint_local=None if local is None else Endpoint(port=local.port, host=local.host),
    )
    shown = f"custom-spu-{id_}" if name is None else name
    with cli.connect() as admin:
        try:
            admin.create_custom_spu(shown, spec)
        except SpuAlreadyExistsError as exc:
            exc.hint = "`fluvio cluster spu list` shows the names and ids that are taken"
            raise
    cli.printer.hint(f'spu "{shown}" ({id_}) registered')


def read_address(text: str) -> "Endpoint":
    """A host and a port at which a server can be reached; raises `FluvioError` with the official text."""
    from fluvio_client.errors import ConnectionFailedError
    from fluvio_client.target import parse_endpoint
    from fluvio_types.errors import FluvioError

    try:
        address = parse_endpoint(text)
    except ConnectionFailedError as exc:
        raise FluvioError(
            f"invalid host:port format {text}", hint="write an address as host:port, such as 127.0.0.1:9010"
        ) from exc
    if address.port == 0:
        raise FluvioError(f"invalid host:port format {text}", hint="a port is a number from 1 to 65535")
    return address
