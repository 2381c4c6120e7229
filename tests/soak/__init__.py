"""The soak: a cluster under mixed load and restarts for a long time (`make soak`, `python -m tests.soak`).

`plan` says what happens, from a seed; `values`, `ledger`, `verdict` and `figures` decide what is right and
what the figures are, without doing I/O. Producers (`producing`, `official_producing`) and consumers
(`consuming`) are processes of their own, held by `child`; `servers` looks at the cluster's processes and
restarts them; `run` puts it together, `report` prints.

What it does and what a run has shown: docs/benchmarks.md, "Soak".
"""
