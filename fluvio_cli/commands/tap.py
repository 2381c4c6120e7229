"""`fluvio tap`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


def _address(text: str) -> str:
    """`host:port`; without a host this machine is meant."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError("write it as host:port, or :port on this machine")
    return f"{host or '127.0.0.1'}:{port}"


@rules(
    one_of=(("listen", "read"),),
    conflicts=(("read", "listen"), ("read", "to"), ("read", "record"), ("read", "only_sc")),
    examples=(
        ("Show what a client and the profile's cluster say", "fluvio tap --listen 127.0.0.1:9103"),
        ("Between any client and any cluster", "fluvio tap --listen 127.0.0.1:9103 --to 127.0.0.1:9003"),
        (
            "Produced and consumed records",
            "fluvio tap --listen 127.0.0.1:9103 --filter produce,stream-fetch --records",
        ),
        (
            "Keep all frames, and look at them later",
            "fluvio tap --listen 127.0.0.1:9103 --record session.tap",
        ),
        ("Look at them", "fluvio tap --read session.tap -O json"),
    ),
)
def command(
    ctx: typer.Context,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="host:port", parser=_address, help="Where clients shall connect to"),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="host:port",
            parser=_address,
            help="The cluster's controller, without TLS (default: that of the profile, with its TLS)",
        ),
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="FILE", help="Keep all frames in this file")
    ] = None,
    read: Annotated[
        str | None, typer.Option("--read", metavar="FILE", help="Show a recording; no proxy")
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            "--format",
            metavar="type",
            parser=values.Choice("text", "json", ignore_case=True),
            help="A line of text, or an object of JSON, for each request and answer",
        ),
    ] = "text",
    records: Annotated[
        bool, typer.Option("--records", help="Show the records, not only how many there are")
    ] = False,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", metavar="names", help="Show these APIs only, such as `produce,watch`"),
    ] = None,
    only_sc: Annotated[
        bool,
        typer.Option("--only-sc", help="Change no addresses: clients go to the SPUs past this proxy"),
    ] = False,
) -> None:
    """Show or record what clients and servers say to each other: a proxy that decodes the protocol.

    A client connects to `--listen` instead of the cluster. Answers that tell where SPUs are get addresses
    of this proxy, so that records go through it as well. Everything else is passed on byte for byte, also
    what cannot be decoded. Ctrl-C ends it and prints a table of counts and latencies.
    """
    from pathlib import Path

    from fluvio_cli.tap.catalogue import chosen
    from fluvio_cli.tap.running import Look

    cli: CliContext = ctx.obj
    look = Look(output, records, None if filter_ is None else chosen(filter_))
    if read is not None:
        from fluvio_cli.tap.running import read as read_recording

        read_recording(cli, Path(read), look)
        return
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.tap.running import TapJob, tap
    from fluvio_client.target import parse_endpoint, resolve_address

    assert listen is not None
    target = resolve_address(cli.target() if to is None else to)
    job = TapJob(parse_endpoint(listen), target, None if record is None else Path(record), only_sc)
    run(lambda interrupt: tap(cli, job, look, interrupt))
