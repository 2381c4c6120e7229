"""CRC-32C of bytes, from the C extension of the `crc32c` package.

That package reads its own metadata when it is imported, which costs a process some 30 ms and 3 MB of
modules that nothing here uses. The extension inside it needs none of that, so it is loaded by itself;
where it does not stand where we expect it, the package is imported as usual.
"""

from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Protocol, cast


class Checksum(Protocol):
    """`crc` is the checksum of what stands before `data`, to go on from."""

    def __call__(self, data: bytes | bytearray | memoryview, crc: int = 0, /) -> int: ...


def _load() -> Checksum:
    package = find_spec("crc32c")
    places = package.submodule_search_locations if package is not None else None
    extension = PathFinder.find_spec("crc32c._crc32c", list(places)) if places else None
    if extension is not None and extension.loader is not None:
        module = module_from_spec(extension)
        extension.loader.exec_module(module)
        if hasattr(module, "crc32c"):
            return cast("Checksum", module.crc32c)
    from crc32c import crc32c as packaged

    return packaged


crc32c: Checksum = _load()
