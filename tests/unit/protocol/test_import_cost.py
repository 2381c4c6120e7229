"""A short-lived command pays for what `fluvio_protocol` imports, so that stays little."""

import subprocess
import sys

ADMIN_COMMAND = ("api.admin", "api.topic", "api.partition", "api.spu", "frame", "negotiation")
# Loaded only when a batch is packed, a struct is asked for its dataclass fields, or by other rooms.
KEPT_OUT = {
    "asyncio",
    "ast",
    "crc32c",
    "cramjam",
    "dataclasses",
    "inspect",
    "json",
    "logging",
    "socket",
    "ssl",
}


def test_an_admin_command_loads_little_more_than_typing_and_enum():
    imports = "; ".join(f"import fluvio_protocol.{name}" for name in ADMIN_COMMAND)
    program = f"{imports}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert loaded & KEPT_OUT == set()
    # Object types that the command does not deal with stay where they are.
    assert not {"fluvio_protocol.api.smartmodule", "fluvio_protocol.api.table_format"} & loaded
