"""Table formats: layouts that clients store and read. The controller only keeps them."""

from fluvio_local_cluster.sc.model.objects import AnyObject, Kind, StoredObject
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.validation import Refusal, is_file_name
from fluvio_protocol.api.table_format import TableFormatSpec, TableFormatStatus
from fluvio_protocol.error_code import ErrorKind, code


def check_new_table_format(name: str, cluster: Cluster) -> None:
    """Raise `Refusal` unless a table format of that name can be created."""
    if name in cluster.stores[Kind.TABLE_FORMAT]:
        text = f"tableformat '{name}' already defined"
        raise Refusal(name, code(ErrorKind.TABLE_FORMAT_ALREADY_EXISTS), text)
    if not is_file_name(name):
        text = (
            f"invalid tableformat name: `{name[:64]}` must be letters, digits, `-`, `_` and `.`, "
            "and not begin with `-` or `.`"
        )
        raise Refusal(name, code(ErrorKind.TABLE_FORMAT_ERROR), text)


def new_table_format(name: str, spec: TableFormatSpec) -> AnyObject:
    """A table format as it is stored. It stays `Init`, as on official clusters."""
    return StoredObject(name, spec, TableFormatStatus(), None)


def check_table_format_deletion(name: str, cluster: Cluster) -> None:
    """Raise `Refusal` unless there is one of that name."""
    if name not in cluster.stores[Kind.TABLE_FORMAT]:
        raise Refusal(name, code(ErrorKind.TABLE_FORMAT_NOT_FOUND), "not found")
