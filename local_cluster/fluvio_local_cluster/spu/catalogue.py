"""What the SC has said about SPUs and SmartModules: full pushes replace, deltas change."""

from dataclasses import dataclass, field

from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.sc_spu import UpdateSmartModuleRequest, UpdateSpuRequest
from fluvio_protocol.api.spu import SpuSpec


@dataclass(slots=True)
class Catalogue:
    """`spus` by id; of SmartModules only the names, because they are not run yet."""

    spus: dict[int, SpuSpec] = field(default_factory=dict)
    smartmodules: set[str] = field(default_factory=set)

    def apply_spus(self, update: UpdateSpuRequest) -> None:
        """Take a push."""
        if update.all:
            self.spus.clear()
            self.spus.update((spec.id, spec) for spec in update.all)
        for message in update.changes:
            if message.header == MsgType.DELETE:
                self.spus.pop(message.content.id, None)
            else:
                self.spus[message.content.id] = message.content

    def apply_smartmodules(self, update: UpdateSmartModuleRequest) -> None:
        """Take a push."""
        if update.all:
            self.smartmodules.clear()
            self.smartmodules.update(module.name for module in update.all)
        for message in update.changes:
            if message.header == MsgType.DELETE:
                self.smartmodules.discard(message.content.name)
            else:
                self.smartmodules.add(message.content.name)
