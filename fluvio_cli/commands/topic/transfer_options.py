"""What several of `topic export|import|replay|copy` have in common: reading options, telling results."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.moments import Moment
    from fluvio_cli.output.queries import Query
    from fluvio_cli.streaming.selection import Selection
    from fluvio_cli.transfer.writing import Landing


def moment(text: str) -> "Moment":
    """For `typer.Option(parser=...)`."""
    from fluvio_cli.moments import parse_moment

    return parse_moment(text)


def query(text: str) -> "Query":
    """For `typer.Option(parser=...)`."""
    from fluvio_cli.output.queries import parse_query

    return parse_query(text)


def selection_of(
    since: "Moment | None", until: "Moment | None", where: "Query | None", count: int | None
) -> "Selection":
    """Which records the options mean. Raises `UsageError`."""
    import time

    from fluvio_cli.failures import UsageError
    from fluvio_cli.streaming.selection import Selection

    now_ms = int(time.time() * 1000)
    since_ms = since.resolve(now_ms) if since is not None else None
    until_ms = until.resolve(now_ms) if until is not None else None
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise UsageError("`--until` is before `--since`")
    return Selection(since_ms, until_ms, where, count)


def landed_view(landed: "dict[int, Landing]") -> list[dict[str, Any]]:
    """Rows of the partitions that got records, for JSON."""
    return [
        {"partition": number, "records": each.records, "next_offset": each.next_offset}
        for number, each in sorted(landed.items())
        if each.records
    ]


def tell_strays(cli: "CliContext", topic: str, strays: int) -> None:
    """Say that records lie between those that were written."""
    if strays:
        cli.printer.note(
            f"{strays} other records came between them in `{topic}`: somebody else writes there, or an "
            "attempt was repeated whose answer was lost, and its records are there twice"
        )
