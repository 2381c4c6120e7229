"""`PROFILE:TOPIC`, of `topic copy` and `topic diff`; without a profile the call's own target. Pure."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext


class Place(NamedTuple):
    """A topic of the cluster of a profile; None: of the call's target."""

    profile: str | None
    topic: str  # may be empty: as the other one's

    def context(self, cli: "CliContext") -> "CliContext":
        """The call as if it were for that cluster."""
        return cli if self.profile is None else cli.for_profile(self.profile)

    def __str__(self) -> str:
        return self.topic if self.profile is None else f"{self.profile}:{self.topic}"


def parse_place(text: str) -> Place:
    """Topic names have no colon: what is before the last one is the profile."""
    profile, colon, topic = text.rpartition(":")
    return Place(profile if colon else None, topic)
