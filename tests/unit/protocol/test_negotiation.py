"""Which version a client sends, from what a server advertises; the cases were seen with official clients."""

import pytest

from fluvio_protocol.api.admin import (
    CreateEnvelope,
    DeleteEnvelope,
    ListEnvelope,
    UpdateEnvelope,
    WatchEnvelope,
)
from fluvio_protocol.api.api_versions import ApiVersionKey
from fluvio_protocol.api.consumer_offsets import (
    DeleteConsumerOffsetRequest,
    FetchConsumerOffsetsRequest,
    UpdateConsumerOffsetRequest,
)
from fluvio_protocol.api.fetch import FetchRequest, StreamFetchRequest
from fluvio_protocol.api.offsets import FetchOffsetsRequest, UpdateOffsetsRequest
from fluvio_protocol.api.produce import ProduceRequest
from fluvio_protocol.negotiation import IncompatibleServerError, ServerVersions, check_platform

ADMIN = (CreateEnvelope, DeleteEnvelope, ListEnvelope, WatchEnvelope, UpdateEnvelope)
CONSUMER_OFFSETS = (UpdateConsumerOffsetRequest, DeleteConsumerOffsetRequest, FetchConsumerOffsetsRequest)


def server(*rows: tuple[int, int, int]) -> ServerVersions:
    return ServerVersions(
        ApiVersionKey(api_key=key, min_version=low, max_version=high) for key, low, high in rows
    )


def official_sc(highest: int = 19, lowest_of_watch: int = 15) -> ServerVersions:
    return server(
        (1001, 9, highest),
        (1002, 1, highest),
        (1003, lowest_of_watch, highest),
        (1004, lowest_of_watch, highest),
        (1005, 14, highest),
        (1006, 1, highest),
    )


def official_spu(highest: int = 25) -> ServerVersions:
    return server(
        (0, 0, highest), (1, 0, highest), (1002, highest, highest), (1003, 0, highest), (1005, 0, 0)
    )


@pytest.mark.parametrize("highest", [15, 16, 17, 18, 19])
def test_the_highest_version_of_the_controller_is_taken_up_to_ours(highest):
    versions = official_sc(highest)
    assert {versions.version_of(request) for request in ADMIN} == {highest}


def test_a_newer_controller_gets_our_highest_version():
    assert {official_sc(40).version_of(request) for request in ADMIN} == {19}


@pytest.mark.parametrize("versions", [official_sc(14, 10), server(), official_sc(60, 30)])
def test_a_controller_that_shares_no_version_is_incompatible(versions):
    with pytest.raises(IncompatibleServerError, match="not compatible: no common version of API 1004"):
        versions.version_of(WatchEnvelope)


@pytest.mark.parametrize("highest", [17, 22, 23, 24, 25])
def test_the_highest_version_of_the_spu_is_taken(highest):
    versions = official_spu(highest)
    for request in (ProduceRequest, FetchRequest, FetchOffsetsRequest, StreamFetchRequest):
        assert versions.version_of(request) == highest


def test_a_newer_spu_gets_our_highest_version_even_where_it_is_not_offered():
    versions = official_spu(30)
    assert versions.version_of(ProduceRequest) == 25
    assert versions.version_of(FetchOffsetsRequest) == 25  # [30, 30] is offered: servers take lower ones


def test_a_stream_fetch_without_a_common_version_goes_at_seventeen():
    assert official_spu(16).version_of(StreamFetchRequest) == 17
    assert official_spu(16).version_of(ProduceRequest) == 16
    assert server((1003, 26, 30)).version_of(StreamFetchRequest) == 17
    assert server().version_of(StreamFetchRequest) == 17


@pytest.mark.parametrize("request_type", CONSUMER_OFFSETS)
@pytest.mark.parametrize("highest", [16, 23, 25, 30])
def test_consumer_offsets_are_never_offered_and_go_at_the_version_of_produce(request_type, highest):
    assert official_spu(highest).version_of(request_type) == min(highest, 25)
    assert server().version_of(request_type) == 25


def test_update_offsets_is_always_version_zero():
    assert official_spu().version_of(UpdateOffsetsRequest) == 0
    assert server().version_of(UpdateOffsetsRequest) == 0


@pytest.mark.parametrize("version", ["0.9.0", "0.11.11", "0.18.2-dev-1", "1.0.0+build.5", "99.0.0"])
def test_platforms_from_nine_on_are_talked_to(version):
    check_platform(version)


@pytest.mark.parametrize("version", ["0.8.9", "0.0.0", "0.8.99-rc.1"])
def test_an_older_platform_is_refused_with_a_hint(version):
    with pytest.raises(IncompatibleServerError, match=rf"{version} is older than 0\.9\.0") as caught:
        check_platform(version)
    assert caught.value.hint == "upgrade the cluster"


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3.4", "one.two.three", "x" * 1000])
def test_what_is_no_semantic_version_is_refused_in_a_short_line(version):
    with pytest.raises(IncompatibleServerError, match="no platform version") as caught:
        check_platform(version)
    assert len(str(caught.value)) < 150
