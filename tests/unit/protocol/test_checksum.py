"""The checksum is that of the Castagnoli polynomial, and costs no start-up time."""

import subprocess
import sys

from fluvio_protocol.checksum import crc32c


def test_the_check_value_of_the_polynomial_comes_out() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_views_and_arrays_are_taken_as_they_are() -> None:
    data = bytearray(b"__123456789__")
    assert crc32c(memoryview(data)[2:-2]) == 0xE3069283
    assert crc32c(data[2:-2]) == 0xE3069283


def test_loading_it_reads_no_package_metadata() -> None:
    code = "import sys, fluvio_protocol.checksum; print('importlib.metadata' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
