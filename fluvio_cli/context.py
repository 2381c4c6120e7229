"""What one invocation of the command line uses: settings resolved once, and the printer.

Precedence: option, then environment, then profile, then default. Nothing below reads the environment,
the clock or the home directory: commands get them from here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from fluvio_cli.output.printer import Printer

if TYPE_CHECKING:
    from fluvio_client.blocking import BlockingAdmin
    from fluvio_client.client import Fluvio
    from fluvio_client.consumer_offsets import BlockingConsumerOffsets
    from fluvio_client.consumer_places import BlockingConsumerPlaces
    from fluvio_completions.names import NameCache
    from fluvio_profiles.model import Config
    from fluvio_profiles.resolve import Target, TargetOptions

DEFAULT_CLIENT_ID = "FLUVIO_CLI"


@dataclass(slots=True, frozen=True)
class CliContext:
    """Settings and streams of one invocation; commands get it as `ctx.obj`."""

    environment: Mapping[str, str]
    home: Path
    profile_path: Path  # the profile file, which need not be there
    target_options: "TargetOptions"
    printer: Printer
    stdin: TextIO
    executable: Path  # the running `fluvio`, whose directory may hold plugins
    directory: Path | None = None  # the working directory; None: it is gone, or must not count

    @property
    def client_id(self) -> str:
        """The name that every connection sends."""
        return self.environment.get("FLUVIO_CLIENT_ID") or DEFAULT_CLIENT_ID

    @property
    def fluvio_directory(self) -> Path:
        """`~/.fluvio`, or what `FLUVIO_DIR` says: base of `bin`, `extensions` and `log`."""
        named = self.environment.get("FLUVIO_DIR")
        return Path(named) if named else self.home / ".fluvio"

    @property
    def extensions_directory(self) -> Path:
        """Where plugins are installed."""
        named = self.environment.get("FLUVIO_EXTENSIONS_DIR")
        return Path(named) if named else self.fluvio_directory / "extensions"

    @property
    def socket_wait_s(self) -> float:
        """How long an answer of a server is awaited: `FLV_SOCKET_WAIT` in seconds, else 60."""
        from fluvio_types.defaults import SOCKET_WAIT_S

        named = self.environment.get("FLV_SOCKET_WAIT", "")
        return float(named) if named.isascii() and named.isdigit() and int(named) else SOCKET_WAIT_S

    @contextmanager
    def connect(self) -> "Iterator[BlockingAdmin]":
        """Be connected to the target's controller; raises what `BlockingAdmin.connect` does.

        A person sees that the cluster is waited for, at the start and while the block runs.
        """
        from fluvio_client.blocking import BlockingAdmin

        target, wait_s = self.target(), self.socket_wait_s
        with (
            self.printer.busy(f"waiting for the cluster at {target.endpoint}"),
            BlockingAdmin.connect(target, client_id=self.client_id, timeout_s=wait_s) as admin,
        ):
            yield admin

    @contextmanager
    def consumer_offsets(self) -> "Iterator[BlockingConsumerOffsets]":
        """Like `connect`, to the SPU that keeps consumers' offsets: see `BlockingConsumerOffsets.connect`."""
        from fluvio_client.consumer_offsets import BlockingConsumerOffsets

        target, wait_s = self.target(), self.socket_wait_s
        with (
            self.printer.busy(f"waiting for the cluster at {target.endpoint}"),
            BlockingConsumerOffsets.connect(target, client_id=self.client_id, timeout_s=wait_s) as stored,
        ):
            yield stored

    @contextmanager
    def consumer_places(self) -> "Iterator[BlockingConsumerPlaces]":
        """Like `connect`, to the partitions' leaders: see `BlockingConsumerPlaces.connect`."""
        from fluvio_client.consumer_places import BlockingConsumerPlaces

        target, wait_s = self.target(), self.socket_wait_s
        with self.printer.busy(f"waiting for the cluster at {target.endpoint}"):
            yield BlockingConsumerPlaces.connect(target, client_id=self.client_id, timeout_s=wait_s)

    def client(self) -> "Fluvio":
        """An async client of the target, to be entered; its settings follow the environment."""
        from fluvio_client.client import Fluvio
        from fluvio_client.settings import ClientSettings
        from fluvio_types.defaults import METADATA_TIMEOUT_MS

        named = self.environment.get("FLV_METADATA_TIMEOUT", "")
        timeout_ms = int(named) if named.isascii() and named.isdigit() else METADATA_TIMEOUT_MS
        settings = ClientSettings(self.client_id, self.socket_wait_s, timeout_ms / 1000)
        return Fluvio.connect(profile=self.target(), settings=settings)

    def name_cache(self) -> "NameCache":
        """What completions know of the target; raises `ProfileError`s."""
        from fluvio_completions.names import NameCache, cache_directory

        return NameCache(cache_directory(self.environment, self.home), self.target().endpoint)

    def load_config(self) -> "Config":
        """Read the profile file; raises `ProfileError`s."""
        from fluvio_profiles.store import load_config

        return load_config(self.profile_path)

    def target(self) -> "Target":
        """The cluster that this call means; raises `ProfileError`s."""
        from fluvio_profiles.resolve import resolve_target

        return resolve_target(self.target_options, self.load_config, self.choice)

    def for_profile(self, name: str) -> "CliContext":
        """The same call, but for the cluster of that profile."""
        from dataclasses import replace

        from fluvio_profiles.resolve import TargetOptions

        options = TargetOptions(profile=name, yes_i_mean=self.target_options.yes_i_mean)
        return replace(self, target_options=options)

    def choice(self) -> tuple[str, str] | None:
        """The profile that the environment or the directory names, and by what; see `choice` of profiles."""
        from fluvio_profiles.choice import chosen_nearby

        directory = None if self.directory is None else str(self.directory)
        return chosen_nearby(self.environment, directory, str(self.home))

    def chosen_profile(self, config: "Config") -> tuple[str, str] | None:
        """The profile that commands use, and by whose choice; None: there is none.

        Raises `ProfileUnknownError` or `DirectoryProfileError` for a choice that `config` does not have.
        """
        from fluvio_profiles.choice import CURRENT, OPTION
        from fluvio_profiles.resolve import check_chosen

        named = self.target_options.profile
        choice = self.choice() if named is None else (named, OPTION)
        if choice is not None:
            check_chosen(*choice, config)
            return choice
        return None if config.current_profile is None else (config.current_profile, CURRENT)
