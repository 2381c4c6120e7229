"""Which profile the surroundings of a call name: `FLUVIO_PROFILE`, else a `.fluvio-profile` file nearby.

Who wins, all in all: `-c ADDRESS`, then `-P NAME`, then `FLUVIO_PROFILE`, then `.fluvio-profile`, then the
current profile of the profile file; `resolve` puts them together.

A directory may have been written by somebody else (a cloned repository, a shared disk), so its file is not
trusted with more than a choice among the names that the user's own profile file has: never an address,
nothing is executed, and what stands in a file that breaks the rules is never shown. It is looked for in the
working directory and its parents, up to the home directory or the root of a repository (`.git`); the search
ends before a directory that belongs to another user or that everybody may write to. A file that is found must
be a plain file (no link, no pipe) of the user, not writable for everybody, with one line: a name. A file that
is not so is an error and not skipped, since a command would go to another cluster than its place says.

Shell prompts call this: it imports nothing but `os` and `stat`, and uses neither `pathlib` nor `typing`.
"""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "FLUVIO_PROFILE"
FILE_NAME = ".fluvio-profile"
OPTION = "--profile"
CURRENT = "current profile"
_MOST_BYTES = 1024


def chosen_nearby(
    environment: "Mapping[str, str]", directory: str | None, home: str
) -> tuple[str, str] | None:
    """The profile's name and who names it: `FLUVIO_PROFILE`, or the path of a `.fluvio-profile`.

    None when neither is there. `directory` is the working directory, None where there is none. The name
    may be unknown. Raises `DirectoryProfileError`.
    """
    named = environment.get(VARIABLE)
    if named:
        return named, VARIABLE
    path = None if directory is None else find_file(directory, home)
    return None if path is None else (read_name(path), path)


def find_file(directory: str, home: str) -> str | None:
    """The nearest `.fluvio-profile`, if the search meets one before its end."""
    last = os.path.realpath(home)
    here = os.path.realpath(directory)
    while _is_own_directory(here):
        path = os.path.join(here, FILE_NAME)
        if os.path.lexists(path):
            return path
        parent = os.path.dirname(here)
        if here in (last, parent) or os.path.lexists(os.path.join(here, ".git")):
            break
        here = parent
    return None


def read_name(path: str) -> str:
    """The name that stands in a `.fluvio-profile`; raises `DirectoryProfileError`."""
    from_others = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not block, a link not lead away
    try:
        descriptor = os.open(path, os.O_RDONLY | from_others)
    except OSError as exc:
        raise _refusal(path, "is a symbolic link" if os.path.islink(path) else str(exc.strerror)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(path, "is no plain file")
        if status.st_uid != os.geteuid():
            raise _refusal(path, "belongs to another user")
        if status.st_mode & stat.S_IWOTH:
            raise _refusal(path, "can be written by everybody")
        content = os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    try:
        name = content.decode().strip()
    except UnicodeDecodeError:
        name = ""
    if not name or len(content) > _MOST_BYTES or not name.isprintable():
        raise _refusal(path, "does not hold one line with a profile's name")
    return name


def _is_own_directory(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & stat.S_IWOTH


def _refusal(path: str, reason: str) -> Exception:
    from fluvio_profiles.errors import DirectoryProfileError

    return DirectoryProfileError(path, reason)
