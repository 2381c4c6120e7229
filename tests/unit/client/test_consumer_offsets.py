"""Which SPU is asked for stored offsets."""

import subprocess
import sys

import pytest

from fluvio_client.consumer_offsets import find_leader
from fluvio_client.errors import LeaderUnavailableError
from fluvio_client.target import Endpoint
from fluvio_protocol.api.spu import Endpoint as SpuEndpoint
from tests.unit.client.test_metadata_store import partition, spu

PARTITIONS = [partition("other-0", 5002), partition("consumer-offset-0", 5001)]


def test_the_leader_of_the_offsets_topic_is_asked() -> None:
    found = find_leader(PARTITIONS, [spu(5002, online=False), spu(5001)], use_local_address=False)
    assert found == Endpoint("spu.example", 9010)


def test_the_local_address_is_taken_where_it_is_wanted_and_there() -> None:
    spus = [spu(5001, local=SpuEndpoint(port=9999, host="10.0.0.1"))]
    assert find_leader(PARTITIONS, spus, use_local_address=True) == Endpoint("10.0.0.1", 9999)
    assert find_leader(PARTITIONS, spus, use_local_address=False) == Endpoint("spu.example", 9010)
    assert find_leader(PARTITIONS, [spu(5001)], use_local_address=True) == Endpoint("spu.example", 9010)


def test_nothing_is_stored_where_there_is_no_place_for_it() -> None:
    assert find_leader([partition("other-0")], [spu(5001)], use_local_address=False) is None


def test_a_leader_that_cannot_be_asked_is_told_with_the_reason() -> None:
    with pytest.raises(LeaderUnavailableError, match="SPU 5001 is offline"):
        find_leader(PARTITIONS, [spu(5001, online=False)], use_local_address=False)
    with pytest.raises(LeaderUnavailableError, match="SPU 5001 is not registered"):
        find_leader(PARTITIONS, [spu(5002)], use_local_address=False)


def test_a_short_command_pays_for_no_event_loop() -> None:
    program = "import sys, fluvio_client.consumer_offsets; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"asyncio", "cramjam", "yaml", "httpx"}.isdisjoint(done.stdout.split())
