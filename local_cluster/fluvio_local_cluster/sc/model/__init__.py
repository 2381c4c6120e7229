"""What the controller knows and decides, without sockets, tasks or clocks.

`objects` and `stores` hold the cluster's objects and say what changed since an epoch; `documents` over `tree`
turns an object into what its file holds, and back; `validation` checks what clients ask for; `placement`,
`topics` and `partitions` move the observed state towards the wished one; `spus` are the rules for SPUs,
`pushes` the frames that tell them; `healing` completes what was loaded from a directory.
"""
