"""What a client makes of the TLS settings of a profile."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from fluvio_client.errors import CertificateError
from fluvio_client.security import security_of
from fluvio_client.target import Endpoint, resolve_address
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource
from fluvio_profiles.resolve import Target
from tests.support.certificates import DOMAIN, Authority


def verified(certs: TlsCerts, source: TlsSource = TlsSource.FILES) -> Tls:
    return Tls(TlsPolicy.VERIFIED, source, certs)


@pytest.fixture
def certs(tmp_path: Path) -> TlsCerts:
    authority = Authority(tmp_path)
    client = authority.client()
    return TlsCerts(DOMAIN, str(client.key), str(client.cert), str(authority.cert))


def test_the_controller_has_the_domain_and_an_spu_its_name_before_it(certs: TlsCerts) -> None:
    security = security_of(verified(certs))
    assert security.server_name(Endpoint("127.0.0.1", 9003)) == DOMAIN
    assert security.server_name(Endpoint("localhost", 9010, "custom-spu-5001")) == f"custom-spu-5001.{DOMAIN}"
    assert security.context.check_hostname
    assert security.context.verify_mode is ssl.CERT_REQUIRED
    assert security.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_only_the_profiles_ca_is_believed(certs: TlsCerts) -> None:
    assert security_of(verified(certs)).context.cert_store_stats()["x509_ca"] == 1


def test_anonymous_believes_whoever_answers() -> None:
    security = security_of(Tls(TlsPolicy.ANONYMOUS))
    assert security.server_name(Endpoint("127.0.0.1", 9010, "custom-spu-5001")) == "127.0.0.1"
    assert security.context.verify_mode is ssl.CERT_NONE


def test_inline_certificates_leave_no_file(
    certs: TlsCerts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "temporary"
    here.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here))
    texts = [Path(path).read_text() for path in (certs.key, certs.cert, certs.ca_cert)]
    security = security_of(verified(TlsCerts(DOMAIN, *texts), TlsSource.INLINE))
    assert security.domain == DOMAIN
    assert list(here.iterdir()) == []


def test_a_file_that_is_not_there_is_named(certs: TlsCerts) -> None:
    for name in ("key", "cert", "ca_cert"):
        wrong = TlsCerts(**{**as_dict(certs), name: "nowhere.pem"})
        with pytest.raises(CertificateError, match=r"cannot use nowhere\.pem: No such file or directory"):
            security_of(verified(wrong))


def test_what_is_no_certificate_is_said(certs: TlsCerts, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("rubbish")
    for name in ("key", "cert", "ca_cert"):
        wrong = TlsCerts(**{**as_dict(certs), name: str(rubbish)})
        with pytest.raises(CertificateError, match="this is no PEM"):
            security_of(verified(wrong))
    with pytest.raises(CertificateError, match="the CA in the profile"):
        security_of(verified(TlsCerts(DOMAIN, "x", "x", "x"), TlsSource.INLINE))


def test_a_key_with_a_pass_phrase_is_not_asked_for_on_the_terminal(certs: TlsCerts, tmp_path: Path) -> None:
    key = load_pem_private_key(Path(certs.key).read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(CertificateError, match="it is encrypted"):
        security_of(verified(TlsCerts(**{**as_dict(certs), "key": str(encrypted)})))


def test_the_key_of_another_certificate_is_said(certs: TlsCerts, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").client()
    with pytest.raises(CertificateError, match="the key belongs to another certificate"):
        security_of(verified(TlsCerts(**{**as_dict(certs), "key": str(other.key)})))


def test_a_target_without_tls_loads_none() -> None:
    assert resolve_address(Target("127.0.0.1:9003")).security is None
    assert resolve_address(Target("127.0.0.1:9003", Tls(TlsPolicy.ANONYMOUS))).security is not None


def as_dict(certs: TlsCerts) -> dict[str, str]:
    return {name: getattr(certs, name) for name in ("domain", "key", "cert", "ca_cert")}
