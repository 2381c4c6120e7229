"""What was asked on one connection and not answered yet: ties answers to requests. No sockets, no clock.

An answer does not say what it answers (docs/protocol.md, "Frame and headers"), so every request is
remembered by its correlation id: until its answer, or as long as the connection lives when it opened a
stream. Which kind of server is at the other end is taken from what it offers in its answer to ApiVersions;
before that, from where the client was connected to.
"""

from dataclasses import dataclass

from fluvio_cli.tap.catalogue import CONTROLLER, SC, SPU, UNKNOWN, Api, api_at, side_of
from fluvio_cli.tap.events import Frame, Seen
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.frame import CORRELATION, read_request_header
from fluvio_protocol.wire import DecodeError, Reader, decode

MOST_OPEN = 10_000  # requests that are remembered; of more the oldest are forgotten
_SPU_OBJECTS = frozenset({"SPU", "CustomSpu"})  # their specs have addresses for clients
_TELLING = frozenset({"List", "Watch"})
_LABELLED = frozenset({"Create", "Delete", "List", "Watch", "Update", "Mirroring"})  # a label comes first


@dataclass(slots=True)
class Call:
    """A request that may be answered."""

    api: Api | None
    key: int
    version: int
    object_type: str
    at_ns: int
    answers: int = 0

    @property
    def is_stream(self) -> bool:
        """Whether many answers come."""
        return self.api is not None and self.api.is_stream

    @property
    def tells_addresses(self) -> bool:
        """Whether its answers say where SPUs are."""
        return self.api is not None and self.api.name in _TELLING and self.object_type in _SPU_OBJECTS


class Conversation:
    """One connection, from its first frame to its last."""

    def __init__(self, side: str, server: str) -> None:
        self.side, self.server = side, server
        self.offered: dict[int, tuple[int, int]] = {}  # by the server's answer to ApiVersions
        self._open: dict[int, Call] = {}  # the oldest first

    def take(self, frame: Frame) -> Seen:
        """Note a frame (of one in parts the first, once) and say what it is."""
        if frame.is_loose or frame.part:
            return Seen(frame, self.server, UNKNOWN, reason=frame.reason)
        return self._request(frame) if frame.direction == "request" else self._answer(frame)

    def call_of(self, begin: bytes) -> Call | None:
        """The request that an answer with these first bytes belongs to."""
        if len(begin) < CORRELATION.size:
            return None
        return self._open.get(CORRELATION.unpack_from(begin)[0])

    def _request(self, frame: Frame) -> Seen:
        reader = Reader(frame.payload)
        try:
            header = read_request_header(reader)
        except DecodeError as exc:
            return Seen(frame, self.server, UNKNOWN, reason=f"no request header: {exc}")
        api = api_at(self.side, header.api_key)
        object_type = _label(reader, api)
        one_way = api is not None and api.info.response is None
        if not one_way:
            self._remember(
                header.correlation_id,
                Call(api, header.api_key, header.api_version, object_type, frame.at_ns),
            )
        return Seen(
            frame,
            self.server,
            UNKNOWN if api is None else api.name,
            api,
            header.api_key,
            header.api_version,
            header.correlation_id,
            header.client_id,
            object_type,
            body_at=len(frame.payload) - reader.remaining,
            reason=self._undecodable(api, header.api_key, header.api_version) or frame.reason,
            remark=self._remark(header.api_key, header.api_version),
        )

    def _remember(self, correlation_id: int, call: Call) -> None:
        self._open.pop(correlation_id, None)  # ids are used again: official clients count from 1 twice
        self._open[correlation_id] = call
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]

    def _undecodable(self, api: Api | None, key: int, version: int) -> str:
        if api is None:
            return f"key {key} is not declared for {'a controller' if self.side == SC else 'an SPU'}"
        if not 0 <= version <= api.info.max_version:
            return f"version {version} is not known here, the highest is {api.info.max_version}"
        return ""

    def _remark(self, key: int, version: int) -> str:
        offered = self.offered.get(key)
        if offered is None or offered[0] <= version <= offered[1]:
            return ""
        return f"the server offers versions {offered[0]} to {offered[1]}"

    def _answer(self, frame: Frame) -> Seen:
        if len(frame.payload) < CORRELATION.size:
            return Seen(frame, self.server, UNKNOWN, reason="too short for a correlation id")
        correlation_id: int = CORRELATION.unpack_from(frame.payload)[0]
        call = self._open.get(correlation_id)
        if call is None:
            return Seen(
                frame,
                self.server,
                UNKNOWN,
                correlation_id=correlation_id,
                body_at=CORRELATION.size,
                reason="it answers no request that was seen",
            )
        call.answers += 1
        if not call.is_stream:
            del self._open[correlation_id]
        if call.api is not None and call.api.request is ApiVersionsRequest:
            self._learn(frame, call)
        return Seen(
            frame,
            self.server,
            UNKNOWN if call.api is None else call.api.name,
            call.api,
            call.key,
            call.version,
            correlation_id,
            object_type=call.object_type,
            body_at=CORRELATION.size,
            latency_us=max(frame.at_ns - call.at_ns, 0) // 1000 if call.answers == 1 else None,
            push=call.answers if call.is_stream else None,
            reason=self._undecodable(call.api, call.key, call.version) or frame.reason,
            remark=frame.remark,
        )

    def _learn(self, frame: Frame, call: Call) -> None:
        assert call.api is not None
        try:
            answer = decode(
                call.api.info.response, memoryview(frame.payload)[CORRELATION.size :], call.version
            )
        except DecodeError:
            return  # it is shown as what cannot be decoded
        self.offered = {each.api_key: (each.min_version, each.max_version) for each in answer.api_keys}
        if self.offered:
            self.side = side_of(self.offered)
            if self.side == SPU and self.server == CONTROLLER:
                self.server = "SPU"  # the tap was put in front of one


def _label(reader: Reader, api: Api | None) -> str:
    """The object type that a controller's request begins with; the reader stays where it is."""
    if api is None or api.name not in _LABELLED:
        return ""
    place = reader.position
    try:
        return decode(str, reader, 0)
    except DecodeError:
        return ""
    finally:
        reader.position = place
