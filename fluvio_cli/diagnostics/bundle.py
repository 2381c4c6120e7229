"""`--bundle`: the archive that a failure leaves, written before the cluster's files are removed."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_cli.diagnostics.collecting import Subject, write_archive
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.output.printer import Printer
    from fluvio_client.blocking import BlockingAdmin

_ASK_S = 5.0  # for the controller's answer: whoever waits for the archive waits for the command's end


def write_bundle(
    place: Path, data_dir: Path, profile_file: Path, environment: Mapping[str, str], printer: "Printer"
) -> None:
    """Write the archive about the cluster in `data_dir`, and say where it is, or why there is none."""
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.state import load_state
    from fluvio_profiles.store import load_config

    try:
        state = load_state(data_dir)

        def connect() -> AbstractContextManager["BlockingAdmin"]:
            from fluvio_client.blocking import BlockingAdmin
            from fluvio_client.target import Address, parse_endpoint

            if state is None:
                raise FluvioError("the cluster has not been started")
            tls = state.settings.tls
            address = Address(
                parse_endpoint(endpoint_of(state)), security=None if tls is None else tls.security()
            )
            return BlockingAdmin.at(address, client_id="FLUVIO_CLI", timeout_s=_ASK_S)

        subject = Subject(state, connect, lambda: load_config(profile_file), environment)
        path = write_archive(subject, place, _nothing, _nothing)
    except (FluvioError, OSError) as exc:
        printer.error(f"warning: the diagnostics could not be written to {place}: {exc}")
        return
    printer.error(f"diagnostics of the cluster are in {path}")


def _nothing(_text: str) -> None:
    """What the parts are is told in the archive."""
