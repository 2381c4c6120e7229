"""`fluvio __refresh`: asks the cluster for the names that completions offer; they start it. Hidden."""

from fluvio_cli.context import CliContext


def command(cli: CliContext) -> None:
    """Renew the names of the target's topics, SPUs and consumers."""
    cache = cli.name_cache()
    with cli.connect() as admin:
        cache.remember("topic", (topic.name for topic in admin.list_topics()))
        cache.remember("spu", (str(spu.spec.id) for spu in admin.list_spus()))
    with cli.consumer_offsets() as offsets:
        cache.remember("consumer", (offset.consumer_id for offset in offsets.find()))
