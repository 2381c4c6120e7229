"""Table formats in the controller: created, listed, kept over a restart, deleted."""

from pathlib import Path
from typing import Any

import pytest

from fluvio_cli.streaming.table_display import find_layout
from fluvio_client.client import Fluvio
from fluvio_protocol.api.table_format import TableFormatColumnConfig, TableFormatSpec
from fluvio_protocol.error_code import ApiError, ErrorKind
from fluvio_protocol.frame import read_request_header
from fluvio_protocol.wire import Reader
from tests.integration.test_sc_captured import request_bytes
from tests.support.controllers import Client, controller, run_scenario


def kept(directory: Path) -> set[str]:
    return {path.stem for path in directory.rglob("TableFormat/*.yaml")}


async def send_captured(client: Any, name: str) -> Any:
    data = request_bytes(name)
    client.writer.write(data)
    return await client.answer(read_request_header(Reader(data[4:])).correlation_id)


def test_what_an_official_client_creates_survives_a_restart_and_can_be_deleted(tmp_path: Path) -> None:
    spec = TableFormatSpec(
        name="hosts", columns=[TableFormatColumnConfig(key_path="ip", width="20", primary_key=True)]
    )

    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                assert (await send_captured(client, "engine-cli-table-format-create-min-1")).error_code.is_ok
                again = await send_captured(client, "engine-cli-table-format-create-min-1")
                assert again.error_code.kind is ErrorKind.TABLE_FORMAT_ALREADY_EXISTS
                created = client.send_create("TableFormat", "hosts", spec)
                assert (await client.answer(created)).error_code.is_ok
        assert kept(tmp_path) == {"hosts", "tf-two"}
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                listed = {stored.name: stored.spec for stored in await client.list("TableFormat")}
                assert listed == {"hosts": spec, "tf-two": TableFormatSpec(name="tf-two")}
                assert (await client.delete("TableFormat", "hosts")).error_code.is_ok
                assert [stored.name for stored in await client.list("TableFormat")] == ["tf-two"]
        assert kept(tmp_path) == {"tf-two"}

    run_scenario(scenario())


def test_a_layout_is_found_by_its_whole_name_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server:
            assert server.public is not None
            async with await Client.connect(server.public.port) as client:
                for name in ("hosts-old", "old-hosts", "hosts"):
                    columns = [TableFormatColumnConfig(key_path=name, header_label="\x1b[2J")]
                    created = client.send_create(
                        "TableFormat", name, TableFormatSpec(name=name, columns=columns)
                    )
                    assert (await client.answer(created)).error_code.is_ok
            async with Fluvio.connect(f"127.0.0.1:{server.public.port}") as fluvio:
                [column] = (await find_layout(fluvio, "hosts")).columns
                assert (column.path, column.label) == (("hosts",), "\\u001b[2J")
                for missing in ("host", ""):
                    with pytest.raises(ApiError, match=f"^TableFormat not found: {missing}$") as raised:
                        await find_layout(fluvio, missing)
                    assert (raised.value.kind, raised.value.slug) == ("not-found", "table-format-not-found")

    run_scenario(scenario())
