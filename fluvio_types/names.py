"""Rules for names. Source: docs/protocol.md, "Names"; learned from the official controller."""

from fluvio_types.errors import InvalidNameError

MAX_NAME_LENGTH = 63
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def name_problem(name: str) -> str | None:
    """Say what is wrong with `name` as a topic or SmartModule name, or None when it is fine.

    The two texts are the official controller's; callers put their own words in front.
    """
    if len(name.encode()) > MAX_NAME_LENGTH:
        return f"Name exceeds max characters allowed {MAX_NAME_LENGTH}"
    if not name or not _NAME_CHARACTERS.issuperset(name) or name[0] == "-" or name[-1] == "-":
        return "Contain only lowercase alphanumeric characters or '-'"
    return None


def require_valid_name(name: str) -> None:
    """Raise `InvalidNameError` unless `name` may name a topic."""
    problem = name_problem(name)
    if problem is not None:
        raise InvalidNameError(
            problem, hint="use 1 to 63 of a-z, 0-9 and `-`, not beginning or ending with `-`"
        )


def partition_key(topic: str, partition: int) -> str:
    """The key of a partition object: `<topic>-<partition>`."""
    return f"{topic}-{partition}"


def parse_partition_key(key: str) -> tuple[str, int]:
    """Split `<topic>-<partition>` at the last `-`; raises `InvalidNameError`."""
    topic, dash, number = key.rpartition("-")
    if not dash or not topic or not (number.isascii() and number.isdigit()):
        raise InvalidNameError(f"`{key}` is not a partition key of the form <topic>-<partition>")
    return topic, int(number)
