"""Streaming Processing Unit: keeps replicas, takes what producers send, streams it to consumers.

`server.Spu` puts together: `control` (the SC says what to keep and is told how it stands), `replicas`
(opens and removes logs), `leader` (one replica), `handlers/` (one module per API), `offset_store` and
`offset_router` (consumers' offsets). What is decided rather than done is in `replica/`.
`python -m fluvio_local_cluster.spu` runs one.
"""
