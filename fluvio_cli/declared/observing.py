"""What is there: asks the cluster, and reads the profile file."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from fluvio_cli.declared.documents import UndeclarableError, document_of
from fluvio_cli.declared.model import CLUSTER_KINDS, Declaration, Kind, Observed
from fluvio_cli.declared.profiles import profile_in
from fluvio_cli.declared.reading import read_object
from fluvio_profiles.errors import ConfigMissingError
from fluvio_profiles.model import Config, TlsSource
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.declared.view import Place
    from fluvio_client.admin_calls import TopicObject
    from fluvio_client.blocking import BlockingAdmin


def observe(cli: "CliContext", kinds: Collection[Kind], declaration: Declaration | None = None) -> Observed:
    """All objects of the kinds; the cluster is asked only where one of them is kept there.

    Topics of `declaration` that are not there are checked by the cluster. Raises what `cli.connect`, the
    calls of `BlockingAdmin` and the profile file raise.
    """
    objects: dict[Kind, dict[str, Any]] = {}
    unready: dict[str, str] = {}
    refused: dict[str, str] = {}
    if any(kind in CLUSTER_KINDS for kind in kinds):
        with cli.connect() as admin:
            if Kind.TOPIC in kinds:
                listed = admin.list_topics()
                found = there(listed)
                objects[Kind.TOPIC] = {topic.name: topic.spec for topic in found}
                unready = {topic.name: reason for topic in found if (reason := why_unready(topic))}
                wanted = {} if declaration is None else declaration.objects.get(Kind.TOPIC, {})
                known = {topic.name for topic in listed}  # also those that are being deleted
                refused = _refusals(admin, {name: spec for name, spec in wanted.items() if name not in known})
            if Kind.TABLE_FORMAT in kinds:
                formats = admin.list_table_formats()
                objects[Kind.TABLE_FORMAT] = {each.name: each.spec for each in formats}
    left_out: dict[Kind, dict[str, str]] = {}
    in_use: set[str] = set()
    with_key: set[str] = set()
    if Kind.PROFILE in kinds:
        config = _config(cli)
        objects[Kind.PROFILE], left_out[Kind.PROFILE] = _profiles(config)
        with_key = {
            name for name, cluster in config.clusters.items() if cluster.tls.source is TlsSource.INLINE
        }
        in_use = {name for name in (config.current_profile, _chosen(cli, config)) if name is not None}
    for kind, found_objects in objects.items():
        left_out.setdefault(kind, {}).update(_undeclarable(kind, found_objects))
        for name in left_out[kind]:
            found_objects.pop(name, None)
    return Observed(objects, left_out, unready, refused, frozenset(in_use), frozenset(with_key))


def place_of(cli: "CliContext", declaration: Declaration) -> "Place":
    """The cluster that a declaration is about; raises `ProfileError`s where it needs one and has none."""
    from fluvio_cli.declared.view import Place

    if not declaration.needs_cluster:
        return Place(None, None)
    target = cli.target()
    return Place(target.profile_name, target.endpoint)


def there(topics: "Iterable[TopicObject]") -> "list[TopicObject]":
    """Topics that are not being deleted."""
    from fluvio_protocol.api.topic import TopicResolution

    return [topic for topic in topics if topic.status.resolution is not TopicResolution.DELETING]


def why_unready(topic: "TopicObject") -> str | None:
    """What a topic that is not provisioned waits for; None: it is."""
    from fluvio_cli.output.objects import topic_status_word
    from fluvio_protocol.api.topic import TopicResolution

    if topic.status.resolution is TopicResolution.PROVISIONED:
        return None
    reason = topic.status.reason
    return topic_status_word(topic) + (f": {reason}" if reason else "")


def _refusals(admin: "BlockingAdmin", missing: dict[str, Any]) -> dict[str, str]:
    """What the cluster says against creating topics; nothing is created."""
    from fluvio_protocol.error_code import ApiError

    found = {}
    for name, spec in sorted(missing.items()):
        try:
            admin.create_topic(name, spec, dry_run=True)
        except ApiError as exc:
            found[name] = f"the cluster refuses it: {exc}"
    return found


def _config(cli: "CliContext") -> Config:
    try:
        return cli.load_config()
    except ConfigMissingError:
        return Config()


def _chosen(cli: "CliContext", config: Config) -> str | None:
    """The profile that this call uses; a choice that leads nowhere uses none."""
    try:
        chosen = cli.chosen_profile(config)
    except FluvioError:
        return None
    return None if chosen is None else chosen[0]


def _profiles(config: Config) -> tuple[dict[str, Any], dict[str, str]]:
    """Profiles, and those that cannot be declared with the reason."""
    found: dict[str, Any] = {}
    left_out = {}
    for name in config.profiles:
        try:
            found[name] = profile_in(config, name)
        except UndeclarableError as exc:
            left_out[name] = str(exc)
    return found, left_out


def _undeclarable(kind: Kind, objects: dict[str, Any]) -> dict[str, str]:
    """Those whose document the reader would refuse, and why: what is exported can be read."""
    found = {}
    for name, spec in objects.items():
        try:
            read_object(kind, name, document_of(kind, spec))
        except (UndeclarableError, FluvioError) as exc:
            found[name] = str(exc)
    return found
