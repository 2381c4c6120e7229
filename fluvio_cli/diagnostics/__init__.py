"""The archive that somebody who helps with a cluster asks for: `fluvio cluster diagnostics`, `--bundle`.

`collecting` gathers and writes it; a cluster that does not work is why it is made, so each part is collected
for itself: what fails is named in the archive, and the rest goes on. `offsets` tells how far each partition
reaches, by the controller and by the files. `masking` (pure) takes out what nobody else shall see: every
text that goes into the archive or onto the terminal passes through it.

What the archive holds, and what not: docs/ci.md, "The bundle".
"""
