"""Every request, answer and object of the wire, one module per subject.

`api_versions` opens each connection. Controller: `admin` (envelopes) around `topic`, `partition`, `spu`,
`smartmodule`, `table_format` and `mirror`. SPU: `produce`, `fetch` (one-shot and stream), `offsets`,
`consumer_offsets`, with `smartmodule_invocation` as a part. Between servers: `sc_spu`, `replication`,
`mirroring`. Layouts: docs/protocol.md, under the names used here.
"""
