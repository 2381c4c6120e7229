"""Next steps that only the command line knows: which profile was meant, and what else there is."""

from typing import TYPE_CHECKING

from fluvio_client.errors import CONNECT_HINT, ConnectionFailedError
from fluvio_profiles.errors import ProfileNotFoundError, ProfileUnknownError
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext


def advise(error: FluvioError, cli: "CliContext") -> None:
    """Give `error` the hint of its case, if it has none or a better one is known."""
    if isinstance(error, ConnectionFailedError) and error.hint in (None, CONNECT_HINT):
        error.hint = _unreachable(cli) or error.hint
    elif isinstance(error, ProfileNotFoundError | ProfileUnknownError):
        _name_similar_profile(error, cli)


def _unreachable(cli: "CliContext") -> str | None:
    try:
        target = cli.target()
    except FluvioError:
        return None
    if target.profile_name is None:
        return "is a cluster running at the address that `--cluster` names?"
    steps = "`fluvio cluster start` starts one here, `fluvio cluster resume` continues one"
    return f"profile `{target.profile_name}` names {target.endpoint}; {steps}"


def _name_similar_profile(error: FluvioError, cli: "CliContext") -> None:
    from fluvio_cli.usage import suggestion

    name = error.name if isinstance(error, ProfileNotFoundError) else cli.target_options.profile
    try:
        known = sorted(cli.load_config().profiles)
    except FluvioError:
        return
    similar = suggestion(name or "", known)
    if similar is not None and similar != name:
        error.hint = f"do you mean `{similar}`? `fluvio profile list` shows the profiles there are"
