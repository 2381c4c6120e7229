"""A client of Fluvio clusters, official ones and our own.

`blocking` asks the controller one thing over a plain socket, `consumer_offsets` the SPU that keeps what
consumers have stored. The rest is asyncio: `client.Fluvio` connects and hands out `admin`, producers
(`producer/`) and consumers (`consumer/`), which share one multiplexed connection (`connection`) per server
and the cluster's metadata as it changes (`metadata`). `health/` tries a whole cluster. `session`,
`admin_calls`, `producer.accumulator`, `producer.partitioner`, `consumer.offsets`, `consumer.positions` and
`health.report` decide without doing I/O.

Import from the modules: this package imports nothing, so that a one-shot command pays for what it uses.
"""
