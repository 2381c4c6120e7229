"""Asking for the version over a real socket: an answer, silence, nonsense, nobody."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fluvio_cli.platform_probe import ask_platform_version
from fluvio_client.errors import CertificateError
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource
from fluvio_profiles.resolve import Target
from fluvio_protocol.api.api_versions import API_VERSIONS_VERSION, ApiVersionsResponse
from fluvio_protocol.frame import encode_response
from fluvio_types.errors import FluvioError

Answer = Callable[[socket.socket], None]


@contextmanager
def peer(answer: Answer) -> Iterator[str]:
    """A server for one connection, which gets `answer` after a request has come; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                assert connection.recv(4096)
                answer(connection)
                while connection.recv(4096):  # until the asker hangs up
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            thread.join(10)
    assert not thread.is_alive()


def versions(connection: socket.socket) -> None:
    response = ApiVersionsResponse(api_keys=[], platform_version="0.18.2")
    payload = encode_response(response, API_VERSIONS_VERSION, 1)
    connection.sendall(payload[:5])
    connection.sendall(payload[5:])


def silence(connection: socket.socket) -> None:
    del connection


def nonsense(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def other_answer(connection: socket.socket) -> None:
    response = ApiVersionsResponse(api_keys=[], platform_version="0.18.2")
    connection.sendall(encode_response(response, API_VERSIONS_VERSION, 7))


def test_the_version_comes_in_pieces_and_is_put_together() -> None:
    with peer(versions) as address:
        assert ask_platform_version(Target(address), "me", 10) == "0.18.2"


@pytest.mark.parametrize("answer", [silence, nonsense, other_answer])
def test_a_peer_that_gives_no_version_is_given_up_in_time(answer: Answer) -> None:
    with peer(answer) as address, pytest.raises(FluvioError):
        ask_platform_version(Target(address), "me", 0.2)


@pytest.mark.parametrize("address", ["nocolon", "127.0.0.1:x", "127.0.0.1:1", "127.0.0.1:70000"])
def test_an_address_that_leads_nowhere_is_an_expected_error(address: str) -> None:
    with pytest.raises(FluvioError):
        ask_platform_version(Target(address), "me", 5)


def test_certificates_that_cannot_be_used_are_an_expected_error() -> None:
    certs = TlsCerts("fluvio.local", "nowhere.key", "nowhere.crt", "nowhere-ca.crt")
    with pytest.raises(CertificateError):
        ask_platform_version(Target("127.0.0.1:1", Tls(TlsPolicy.VERIFIED, TlsSource.FILES, certs)), "me", 5)
