"""`fluvio cluster spu list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import announce_channel
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_client.admin_calls import CustomSpuObject, SpuObject

_HEADERS = ("ID", "NAME", "STATUS", "TYPE", "RACK", "PUBLIC", "PRIVATE")


@rules(
    examples=(
        ("List the SPUs of the current profile's cluster", "fluvio cluster spu list"),
        (
            "How many are online",
            "fluvio cluster spu list -O json | jq '[.[].status.resolution] | map(.==\"Online\")'",
        ),
    )
)
def command(
    ctx: typer.Context,
    custom: Annotated[bool, typer.Option("--custom", help="List only SPUs that somebody registered")] = False,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
) -> None:
    """List all SPUs known by the cluster."""
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table

    cli: CliContext = ctx.obj
    announce_channel(cli)
    with cli.connect() as admin:
        listed: list[SpuObject | CustomSpuObject] = (
            [*admin.list_custom_spus()] if custom else [*admin.list_spus()]
        )
    spus = sorted(listed, key=lambda spu: spu.spec.id)
    if output != "table":
        cli.printer.data(render_structured([spu_view(spu) for spu in spus], output))
    elif not spus:
        cli.printer.message("no spu")
    else:
        cli.printer.data(render_table(_HEADERS, [_row(spu) for spu in spus]))


def spu_view(spu: "SpuObject | CustomSpuObject") -> dict[str, Any]:
    """One SPU, as `-O json` shows it; optional values that are not set are left out."""
    from fluvio_cli.output.objects import camel_case

    spec = spu.spec
    public, private, local = spec.public_endpoint, spec.private_endpoint, spec.public_endpoint_local
    view: dict[str, Any] = {
        "spuId": spec.id,
        "spuType": _type_word(spu).capitalize(),
        "publicEndpoint": {
            "port": public.port,
            "ingress": [{"hostname": address.hostname, "ip": address.ip} for address in public.ingress],
            "encryption": public.encryption.name,
        },
        "privateEndpoint": _endpoint_view(private),
    }
    if spec.rack is not None:
        view["rack"] = spec.rack
    if local is not None:
        view["publicEndpointLocal"] = _endpoint_view(local)
    return {"name": spu.name, "spec": view, "status": {"resolution": camel_case(spu.status.resolution)}}


def _endpoint_view(endpoint: Any) -> dict[str, Any]:
    return {"port": endpoint.port, "host": endpoint.host, "encryption": endpoint.encryption.name}


def _type_word(spu: "SpuObject | CustomSpuObject") -> str:
    from fluvio_protocol.api.spu import SpuSpec

    return spu.spec.spu_type.name.lower() if isinstance(spu.spec, SpuSpec) else "custom"


def _row(spu: "SpuObject | CustomSpuObject") -> tuple[str, ...]:
    from fluvio_cli.output.objects import camel_case

    spec = spu.spec
    return (
        str(spec.id),
        spu.name,
        camel_case(spu.status.resolution),
        f'"{_type_word(spu)}"',
        spec.rack or "-",
        f"{spec.public_endpoint.host}:{spec.public_endpoint.port}",
        f"{spec.private_endpoint.host}:{spec.private_endpoint.port}",
    )
