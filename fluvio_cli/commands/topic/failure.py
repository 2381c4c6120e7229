"""What the topic commands say when the cluster refuses; the texts are the official command line's."""

from fluvio_protocol.error_code import ApiError, ErrorKind, code, exception_for
from fluvio_types.errors import FluvioError

_LIST_HINT = "`fluvio topic list` shows the topics there are"


def topic_not_found(name: str) -> FluvioError:
    """No topic has the name, or contains it."""
    error = exception_for(code(ErrorKind.TOPIC_NOT_FOUND), f'topic "{name}" not found')
    error.hint = _LIST_HINT
    return error


def reworded(error: ApiError, name: str) -> FluvioError:
    """`error` about the topic `name`, with the text that scripts know and the next step."""
    hint = {
        ErrorKind.TOPIC_NOT_FOUND: f"there is no topic `{name}`; {_LIST_HINT}",
        ErrorKind.TOPIC_ALREADY_EXISTS: f"`fluvio topic describe {name}` shows it",
        ErrorKind.SYSTEM_SPEC_DELETION_ATTEMPT: f"`fluvio topic delete --system {name}` deletes it",
    }.get(error.code.kind)
    if hint is None:
        return error
    told = exception_for(error.code)
    told.hint = hint
    return told
