"""How `plan` and `apply` end where what is there is not what is declared."""

from typing import TYPE_CHECKING

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluvio_types.errors import Kind


class DeclaredDriftError(FluvioError):
    """What is there differs from what is declared."""

    kind = "drift"


class NotAppliedError(FluvioError):
    """Some of what was to be done was refused or not reached; its kind is that of the first failure."""

    def __init__(self, done: int, failed: int, not_tried: int, first: FluvioError | None) -> None:
        cause = "" if first is None else f": {first}"
        total = done + failed + not_tried
        super().__init__(f"only {done} of {total} changes {'was' if done == 1 else 'were'} done{cause}")
        self.done, self.failed, self.not_tried = done, failed, not_tried
        self.hint = "`fluvio apply` goes on from what is there: call it again when the cause is gone"
        if first is not None:
            self.kind: Kind = first.kind


class NotProvisionedError(FluvioError):
    """All was done, and some topics cannot be used yet."""

    kind = "timed-out"

    def __init__(self, waiting: "Sequence[tuple[str, str]]") -> None:
        """`waiting` has name and reason of each topic."""
        told = "; ".join(f"`{name}`: {reason}" for name, reason in waiting[:3])
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        super().__init__(f"not provisioned yet: {told}{more}")
        self.waiting = tuple(waiting)
        self.hint = "they are provisioned when that is possible; `fluvio cluster spu list` shows the SPUs"


class NotConfirmedError(FluvioError):
    """The question whether to go on was not answered with yes."""

    def __init__(self) -> None:
        super().__init__("nothing was changed, since the answer was not `yes`")
