"""The streaming controller: owns metadata and placement, tells SPUs what to hold and clients where it is.

Parts: `model` decides (validation, placement, states of topics and partitions, stores with epochs); `store`
keeps the metadata directory, `yaml_format` its text; `controller` is the one place that changes anything:
decide, write, then show; `handlers` is the public port, `spu_sessions` the private one; `server` starts and
stops them, `python -m fluvio_local_cluster.sc` is the process. Behaviour: docs/architecture.md, files:
docs/metadata-format.md.
"""
