"""What can go wrong with the profile file. The first words of each text are the official client's."""

from pathlib import Path

from fluvio_types.errors import FluvioError


class ProfileError(FluvioError):
    """Anything that keeps a profile from being read, found or written."""


class ConfigMissingError(ProfileError):
    """There is no profile file (or the path is no file)."""

    kind = "not-found"

    def __init__(self, path: Path) -> None:
        super().__init__(f'Config error: config file "{path}"')
        self.path = path
        self.hint = "start a cluster with `fluvio cluster start`, or name one with `fluvio profile add`"


class ConfigBrokenError(ProfileError):
    """The profile file does not parse; it is left as it is. `line` and `column` count from 1."""

    def __init__(self, path: Path, reason: str, line: int | None = None, column: int | None = None) -> None:
        where = f" at line {line}, column {column}" if line is not None else ""
        super().__init__(f"Config error: Failed to deserialize Fluvio config {path}{where}: {reason}")
        self.path, self.reason, self.line, self.column = path, reason, line, column
        self.hint = f"mend `{path}` with an editor; nothing was written to it"


class ConfigWriteError(ProfileError):
    """The profile file could not be locked or written; the old one is still there."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"Config error: cannot write {path}: {reason}")
        self.path, self.reason = path, reason


class ProfileNotFoundError(ProfileError):
    """No profile has this name."""

    kind = "not-found"

    def __init__(self, name: str) -> None:
        super().__init__(f"profile {name} not found")
        self.name = name
        self.hint = "`fluvio profile list` shows the profiles there are"


class TargetError(ProfileError):
    """Options and profile file do not add up to a cluster to talk to."""


class ProfileUnknownError(TargetError):
    """The profile that a call names, or its cluster, is not in the profile file."""

    kind = "not-found"


class NoActiveProfileError(TargetError):
    """No profile was named, and the profile file names none as the current one."""

    kind = "not-found"


class DirectoryProfileError(TargetError):
    """A `.fluvio-profile` holds something else than the name of one of the user's profiles."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"`{path}` {reason}")
        self.path, self.reason = path, reason
        self.hint = (
            "it holds the name of one of your profiles, as one line, and nothing else; "
            "`-P NAME` goes before it for one call"
        )


class NoPreviousProfileError(ProfileError):
    """Nothing was switched before, or the profile that was current then is gone."""

    kind = "not-found"

    def __init__(self) -> None:
        super().__init__("there is no previous profile")
        self.hint = (
            "`fluvio profile switch NAME` remembers where you came from; `fluvio profile list` shows names"
        )


class ProfileExistsError(ProfileError):
    """A profile or a cluster has the new name already."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} `{name}` exists already")
        self.name = name
        self.hint = "take another name, or remove it with `fluvio profile delete` and `delete-cluster`"


class ConfigChangedError(ProfileError):
    """The profile file was changed by somebody else meanwhile; nothing was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"`{path}` was changed by another program meanwhile; it was left as it is")
        self.path = path
