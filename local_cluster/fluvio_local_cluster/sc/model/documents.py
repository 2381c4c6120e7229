"""A stored object as the document of its file. Layout: docs/metadata-format.md.

One YAML document with the tag `!1.0.0` on `meta`, `key`, `status`, `spec`. What is ours lies under
`x-runtime` in `status`, where an official controller overlooks it; what we do not know is kept.
"""

from typing import Any

from fluvio_local_cluster.sc.model.objects import AnyObject, Kind, Meta, StoredObject
from fluvio_local_cluster.sc.model.tree import (
    DocumentError,
    Tagged,
    Tree,
    from_tree,
    to_tree,
    unknown_parts,
    with_unknown_parts,
)
from fluvio_protocol.api.admin import SC_VERSION
from fluvio_protocol.wire import EncodeError, encode

FORMAT_TAG = "1.0.0"
RUNTIME_KEY = "x-runtime"


def to_document(kind: Kind, stored: AnyObject, revision: int) -> Tagged:
    """The document to write as that revision."""
    return with_unknown_parts(_known(kind, stored, revision), stored.unknown)  # type: ignore[no-any-return]


def _known(kind: Kind, stored: AnyObject, revision: int) -> Tagged:
    meta: dict[str, Tree] = {"id": stored.key, "revision": revision}
    if stored.meta.parent is not None:
        meta["parent"] = stored.meta.parent
    if stored.meta.children is not None:
        meta["children"] = stored.meta.children
    status: Tree = None if kind is Kind.SMARTMODULE else to_tree(kind.status_type, stored.status)
    if stored.runtime is not None:
        status[RUNTIME_KEY] = to_tree(kind.runtime_type, stored.runtime)
    document = {
        "meta": meta,
        "key": stored.key,
        "status": status,
        "spec": to_tree(kind.spec_type, stored.spec),
    }
    return Tagged(FORMAT_TAG, document)


def from_document(kind: Kind, key: str, document: Tree) -> AnyObject:
    """The object of the file named `key`. Its runtime is None when the file has none (an official one).

    Raises `DocumentError` when the document is not that of an object of this kind and name, or holds
    numbers that the wire cannot carry.
    """
    if not isinstance(document, Tagged):
        raise DocumentError("there is no document with a format tag such as `!1.0.0`")
    if document.tag.partition(".")[0] != FORMAT_TAG.partition(".")[0]:
        raise DocumentError(f"the format is {document.tag}, this program reads {FORMAT_TAG}")
    content = document.value
    if not isinstance(content, dict):
        raise DocumentError("the document holds no mapping")
    if content.get("key") != key:
        raise DocumentError(f"the file's key is `{content.get('key')}`, its name says `{key}`")
    status_tree = content.get("status")
    runtime = None
    if kind.runtime_type is not None and isinstance(status_tree, dict) and RUNTIME_KEY in status_tree:
        runtime = from_tree(kind.runtime_type, status_tree[RUNTIME_KEY], f"status.{RUNTIME_KEY}")
    spec = from_tree(kind.spec_type, content.get("spec"), "spec")
    status = kind.status_type() if status_tree is None else from_tree(kind.status_type, status_tree, "status")
    stored: AnyObject = StoredObject(key, spec, status, runtime, _meta(content.get("meta")))
    for part, wire_type in ((spec, kind.spec_type), (status, kind.status_type)):
        try:
            encode(part, SC_VERSION, wire_type)
        except EncodeError as exc:
            raise DocumentError(str(exc)) from exc
    known = _known(kind, stored, stored.meta.revision)
    stored.unknown = None if known == document else unknown_parts(document, known)
    return stored


def _meta(tree: Any) -> Meta:
    if not isinstance(tree, dict) or type(tree.get("revision")) is not int:
        raise DocumentError("`meta.revision` is missing or no number")
    for name in ("parent", "children"):
        if not isinstance(tree.get(name, {}), dict):
            raise DocumentError(f"`meta.{name}` is no mapping")
    return Meta(tree["revision"], tree.get("parent"), tree.get("children"))
