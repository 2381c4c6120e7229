"""Table formats in the controller: what can be created and deleted."""

import pytest

from fluvio_local_cluster.sc.model.objects import Kind
from fluvio_local_cluster.sc.model.table_formats import (
    check_new_table_format,
    check_table_format_deletion,
    new_table_format,
)
from fluvio_local_cluster.sc.model.validation import Refusal
from fluvio_protocol.api.table_format import TableFormatSpec
from fluvio_protocol.error_code import ErrorKind
from tests.unit.sc.factories import cluster_of


def test_a_name_can_be_used_once_and_deleted_while_it_is_there() -> None:
    cluster = cluster_of()
    check_new_table_format("hosts", cluster)
    with pytest.raises(Refusal) as caught:
        check_table_format_deletion("hosts", cluster)
    assert caught.value.code.kind is ErrorKind.TABLE_FORMAT_NOT_FOUND
    cluster.stores[Kind.TABLE_FORMAT].apply([new_table_format("hosts", TableFormatSpec(name="hosts"))])
    check_table_format_deletion("hosts", cluster)
    with pytest.raises(Refusal, match="tableformat 'hosts' already defined") as caught:
        check_new_table_format("hosts", cluster)
    assert caught.value.code.kind is ErrorKind.TABLE_FORMAT_ALREADY_EXISTS


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a" * 201, "\u00e9"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="invalid tableformat name") as caught:
        check_new_table_format(name, cluster_of())
    assert caught.value.code.kind is ErrorKind.TABLE_FORMAT_ERROR
