"""`fluvio profile ...` in memory: choosing, going back, copying, protecting, listing, syncing."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from fluvio_cli import app
from fluvio_cli.context import CliContext
from fluvio_cli.output.printer import Printer
from fluvio_cli.profile_check import ClusterSilentError, ProfileCheck, check_all, exit_code_of
from fluvio_profiles.errors import (
    DirectoryProfileError,
    NoPreviousProfileError,
    ProfileError,
    ProfileExistsError,
    ProfileNotFoundError,
    ProfileUnknownError,
    TargetError,
)
from fluvio_profiles.model import Config
from fluvio_profiles.resolve import TargetOptions
from fluvio_profiles.store import load_config
from fluvio_protocol.negotiation import IncompatibleServerError
from fluvio_types.errors import FluvioError

FILE = """\
version = "2.0"
current_profile = "a"
[profile.a]
cluster = "a"
[profile.b]
cluster = "b"
[profile.b2]
cluster = "b"
[cluster.a]
endpoint = "a:1"
[cluster.b]
endpoint = "b:1"
[cluster.b.metadata]
installation = "docker"
[cluster.b.tls]
tls_policy = "verified"
tls_source = "inline"
[cluster.b.tls.certs]
domain = "d"
key = "SECRET"
cert = "c"
ca_cert = "ca"
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Here:
    """A home with a profile file; `run` returns what was printed on both streams."""

    def __init__(self, home: Path) -> None:
        self.home, self.path = home, home / "config"
        self.path.write_text(FILE)
        self.environment: dict[str, str] = {}
        self.terminal = False

    def run(self, *words: str) -> tuple[str, str]:
        stdout, stderr = io.StringIO(), Terminal() if self.terminal else io.StringIO()

        def context(options: dict[str, Any]) -> CliContext:
            return CliContext(
                self.environment,
                self.home,
                self.path,
                TargetOptions(**options),
                Printer(stdout, stderr, {}),
                io.StringIO(),
                self.home / "fluvio",
                self.home,
            )

        assert app.run(words, context) == 0
        return stdout.getvalue(), stderr.getvalue()

    @property
    def config(self) -> Config:
        return load_config(self.path)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_the_profile_in_use_is_shown_with_who_chose_it_on_a_terminal(here: Here) -> None:
    assert here.run("profile") == ("a\n", "")
    (here.home / ".fluvio-profile").write_text("b\n")
    assert here.run("profile", "current") == ("b\n", "")
    here.terminal = True
    assert here.run("profile") == ("b\n", f"chosen by {here.home / '.fluvio-profile'}\n")
    here.environment["FLUVIO_PROFILE"] = "b2"
    assert here.run("profile") == ("b2\n", "chosen by FLUVIO_PROFILE\n")
    assert here.run("-P", "a", "profile") == ("a\n", "chosen by --profile\n")


def test_a_choice_that_the_file_does_not_have_is_an_error(here: Here) -> None:
    here.environment["FLUVIO_PROFILE"] = "nobody"
    with pytest.raises(ProfileUnknownError):
        here.run("profile")
    here.environment.clear()
    (here.home / ".fluvio-profile").write_text("nobody\n")
    with pytest.raises(DirectoryProfileError):
        here.run("profile")


def test_a_dash_goes_back_and_forth(here: Here) -> None:
    with pytest.raises(NoPreviousProfileError):
        here.run("profile", "switch", "-")
    assert here.run("profile", "switch", "b") == ("", "")
    assert here.run("profile", "switch", "-")[0] == "Switched to profile a\n"
    assert here.run("profile", "switch", "-")[0] == "Switched to profile b\n"
    here.run("profile", "switch", "b")  # to where we are: nothing to go back to is forgotten
    assert here.run("profile", "switch", "-")[0] == "Switched to profile a\n"


def test_the_previous_profile_follows_a_new_name_and_goes_with_its_profile(here: Here) -> None:
    here.run("profile", "switch", "b")
    here.run("profile", "rename", "a", "c")
    assert here.run("profile", "switch", "-")[0] == "Switched to profile c\n"
    here.run("profile", "delete", "b")
    with pytest.raises(NoPreviousProfileError):
        here.run("profile", "switch", "-")
    assert here.config.current_profile == "c"


def test_adding_a_profile_can_be_gone_back_from(here: Here) -> None:
    here.run("profile", "add", "new", "h:1", "local")
    assert here.run("profile", "switch", "-")[0] == "Switched to profile a\n"


def test_a_switch_says_on_a_terminal_that_something_else_chooses_here(here: Here) -> None:
    here.environment["FLUVIO_PROFILE"] = "b"
    assert here.run("profile", "switch", "b2") == ("", "")
    here.terminal = True
    assert "still use profile `b`, chosen by FLUVIO_PROFILE" in here.run("profile", "switch", "a")[1]
    assert here.run("profile", "switch", "b") == ("", "")


def test_an_unknown_name_is_an_error_that_suggests_a_similar_one(here: Here) -> None:
    here.terminal = True
    with pytest.raises(ProfileNotFoundError) as caught:
        here.run("profile", "switch", "b3")
    assert "do you mean `b" in str(caught.value.hint)


def test_a_copy_has_a_cluster_of_its_own(here: Here) -> None:
    here.run("profile", "set", "b", "--protected")
    assert here.run("profile", "copy", "b", "new")[0] == "profile b copied to new\n"
    config = here.config
    assert config.profiles["new"].cluster == "new"
    assert config.clusters["new"] == config.clusters["b"]
    assert config.current_profile == "a"
    here.run("profile", "set", "new", "--normal")
    assert "fluvio_cli" in here.config.clusters["b"].metadata


def test_a_copy_replaces_nothing(here: Here) -> None:
    before = here.path.read_bytes()
    for source, target in (("a", "b"), ("a", "b2")):
        with pytest.raises(ProfileExistsError):
            here.run("profile", "copy", source, target)
    with pytest.raises(ProfileNotFoundError):
        here.run("profile", "copy", "nobody", "new")
    assert here.path.read_bytes() == before


def test_protection_and_description_are_set_and_shown(here: Here) -> None:
    before = here.run("profile", "list")[0]
    assert "PROTECTION" not in before
    said = here.run("profile", "set", "b", "--protected", "--description", "orders, Frankfurt")[0]
    assert said == "cluster b is protected\ncluster b is described\nthis also holds for: b2\n"
    listed = here.run("profile", "list")[0].split("\n")
    assert listed[0].split() == [*before.split("\n")[0].split(), "PROTECTION", "DESCRIPTION"]
    ends = [line.split()[-3:] == ["protected", "orders,", "Frankfurt"] for line in listed[1:4]]
    assert ends == [False, True, True]
    here.run("profile", "set", "b", "--normal", "--description", "")
    assert here.run("profile", "list")[0] == before


def test_what_cannot_be_set_changes_nothing(here: Here) -> None:
    before = here.path.read_bytes()
    with pytest.raises(ProfileNotFoundError):
        here.run("profile", "set", "nobody", "--protected")
    with pytest.raises(ProfileError, match="printable"):
        here.run("profile", "set", "a", "--description", "\x1b[2J")
    for words in ((), ("--protected", "--normal"), ("--protected", "--read-only")):
        with pytest.raises(FluvioError):
            here.run("profile", "set", "a", *words)
    assert here.path.read_bytes() == before


@pytest.mark.parametrize("form", ["json", "yaml", "toml"])
def test_private_keys_are_shown_only_on_demand(here: Here, form: str) -> None:
    if form != "toml":  # TOML has no null
        assert "SECRET" not in here.run("profile", "list", "-O", form)[0]
        assert "SECRET" in here.run("profile", "list", "-O", form, "--show-secrets")[0]


def test_sync_local_points_the_local_profile_and_keeps_how_it_was_set_up(here: Here) -> None:
    said = here.run("profile", "sync", "local")[0]
    assert said == "local context is set to: localhost:9003\n"
    config = here.config
    assert (config.current_profile, config.clusters["local"].metadata) == ("local", {"installation": "local"})
    here.run("profile", "add", "local", "h:1", "docker")
    here.run("profile", "sync", "local", "h:2", "--tls")
    cluster = here.config.clusters["local"]
    assert (cluster.endpoint, cluster.tls.policy.value) == ("h:2", "anonymous")
    assert cluster.metadata == {"installation": "docker"}


def test_sync_local_takes_certificates_and_makes_their_paths_absolute(here: Here) -> None:
    files = ("--domain", "d", "--ca-cert", "ca.crt", "--client-cert", "/c.crt", "--client-key", "k.key")
    here.run("profile", "sync", "local", "h:2", "--tls", "--enable-client-cert", *files)
    certs = here.config.clusters["local"].tls.certs
    assert certs is not None
    assert (certs.domain, certs.cert) == ("d", "/c.crt")
    assert (certs.ca_cert, certs.key) == (str(Path("ca.crt").absolute()), str(Path("k.key").absolute()))
    before = here.path.read_bytes()
    with pytest.raises(TargetError, match="--domain, --ca-cert"):
        here.run("profile", "sync", "local", "--tls", "--enable-client-cert")
    assert here.path.read_bytes() == before


def test_an_export_takes_the_profile_in_use(here: Here) -> None:
    here.environment["FLUVIO_PROFILE"] = "b"
    assert json.loads(here.run("profile", "export", "-O", "json")[0])["endpoint"] == "b:1"


def checked(*errors: FluvioError | None) -> list[ProfileCheck]:
    return [ProfileCheck("p", error=error) for error in errors]


def test_the_exit_code_of_a_check_is_that_of_the_worst() -> None:
    silent, old = ClusterSilentError("h:1", 1), IncompatibleServerError("too old")
    other = FluvioError("x")
    assert exit_code_of([]) == 0
    assert exit_code_of(checked(None, None)) == 0
    assert exit_code_of(checked(None, old)) == 7
    assert exit_code_of(checked(other, old, silent)) == 4
    assert exit_code_of(checked(other)) == 1
    assert exit_code_of(checked(ProfileUnknownError("x"))) == 3


def test_a_profile_that_leads_nowhere_is_not_asked() -> None:
    error = ProfileUnknownError("Cluster not found for profile x")
    (found,) = check_all([("x", error)], "me", 1.0)
    assert found.view() == {
        "profile": "x",
        "cluster": None,
        "endpoint": None,
        "tls": None,
        "result": "not-found",
        "platformVersion": None,
        "milliseconds": None,
        "code": "profile-unknown",
        "message": "Cluster not found for profile x",
    }
