"""What the topic commands say when the cluster refuses; the texts are the official command line's."""

from fluvio_protocol.error_code import ApiError, ErrorKind
from fluvio_types.errors import FluvioError

_LIST_HINT = "`fluvio topic list` shows the topics there are"


def topic_not_found(name: str) -> FluvioError:
    """No topic has the name, or contains it."""
    return FluvioError(f'topic "{name}" not found', hint=_LIST_HINT)


def reworded(error: ApiError, name: str) -> FluvioError:
    """`error` about the topic `name`, with the text that scripts know and the next step."""
    if error.code.kind == ErrorKind.TOPIC_NOT_FOUND:
        return FluvioError(error.code.text, hint=f"there is no topic `{name}`; {_LIST_HINT}")
    if error.code.kind == ErrorKind.TOPIC_ALREADY_EXISTS:
        return FluvioError(error.code.text, hint=f"`fluvio topic describe {name}` shows it")
    if error.code.kind == ErrorKind.SYSTEM_SPEC_DELETION_ATTEMPT:
        return FluvioError(
            error.code.text, hint=f"`fluvio topic delete --system {name}` deletes it all the same"
        )
    return error
