"""Which cluster a call means."""

from pathlib import Path

import pytest

from fluvio_profiles.errors import ConfigBrokenError, ConfigMissingError, TargetError
from fluvio_profiles.model import Config, Profile, TlsCerts, TlsPolicy, TlsSource
from fluvio_profiles.resolve import Target, TargetOptions, resolve_target

PATH = Path("/h/.fluvio/config")


def config() -> Config:
    made = Config()
    made.add_and_select("b", "h:2", "local")
    made.add_and_select("a", "h:1", "local")
    made.profiles["dangling"] = Profile("gone")
    return made


def missing() -> Config:
    raise ConfigMissingError(PATH)


def broken() -> Config:
    raise ConfigBrokenError(PATH, "bad", 1, 2)


def test_the_current_profile_is_meant_when_nothing_is_said() -> None:
    target = resolve_target(TargetOptions(), config)
    assert (target.endpoint, target.profile_name, target.cluster_name) == ("h:1", "a", "a")


def test_a_named_profile_comes_before_the_current_one() -> None:
    assert resolve_target(TargetOptions(profile="b"), config).endpoint == "h:2"


def test_an_address_needs_no_profile_file() -> None:
    assert resolve_target(TargetOptions(cluster="x:1"), missing) == Target("x:1")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (TargetOptions(cluster="x:1", profile="a"), "cluster addr is not valid when profile is used"),
        (TargetOptions(tls=True, profile="a"), "tls is not valid when profile is used"),
        (TargetOptions(tls=True), "tls is only valid if cluster addr is used"),
        (TargetOptions(domain="d"), "tls is only valid if cluster addr is used"),
        (TargetOptions(profile="nope"), "Cluster not found for profile nope"),
        (TargetOptions(profile="dangling"), "Cluster not found for profile dangling"),
        (
            TargetOptions(cluster="x:1", tls=True, enable_client_cert=True, ca_cert="f"),
            "Missing required args after --tls:--domain, --client-cert, --client-key",
        ),
    ],
)
def test_options_that_do_not_add_up_are_told_in_the_official_words(options: TargetOptions, text: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve_target(options, config)
    assert text in str(caught.value)


def test_without_a_file_a_named_profile_is_not_found() -> None:
    with pytest.raises(TargetError, match="Cluster not found for profile x"):
        resolve_target(TargetOptions(profile="x"), missing)


def test_a_broken_file_is_told_even_with_a_named_profile() -> None:
    with pytest.raises(ConfigBrokenError):
        resolve_target(TargetOptions(profile="x"), broken)


@pytest.mark.parametrize("current", [None, "unknown"])
def test_a_file_without_a_usable_current_profile_has_no_active_one(current: str | None) -> None:
    made = config()
    made.current_profile = current
    with pytest.raises(TargetError, match="Config has no active profile"):
        resolve_target(TargetOptions(), lambda: made)


def test_a_current_profile_whose_cluster_is_missing_names_the_cluster() -> None:
    made = config()
    made.current_profile = "dangling"
    with pytest.raises(TargetError, match="No cluster config for profile gone"):
        resolve_target(TargetOptions(), lambda: made)


def test_tls_alone_is_anonymous_and_client_certificates_make_it_verified() -> None:
    anonymous = resolve_target(TargetOptions(cluster="x:1", tls=True), missing)
    assert anonymous.tls.policy is TlsPolicy.ANONYMOUS
    options = TargetOptions(
        cluster="x:1",
        tls=True,
        enable_client_cert=True,
        domain="d",
        ca_cert="ca",
        client_cert="c",
        client_key="k",
    )
    tls = resolve_target(options, missing).tls
    assert (tls.policy, tls.source) == (TlsPolicy.VERIFIED, TlsSource.FILES)
    assert tls.certs == TlsCerts("d", "k", "c", "ca")


def test_client_certificate_options_without_tls_are_let_pass_as_by_the_official_tool() -> None:
    options = TargetOptions(cluster="x:1", enable_client_cert=True)
    assert resolve_target(options, missing).tls.policy is TlsPolicy.DISABLED
