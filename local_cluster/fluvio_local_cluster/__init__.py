"""A Fluvio cluster on this machine: the servers, their storage, and what starts and stops them.

`lifecycle` starts, watches and stops the server processes; it runs `sc` (the Streaming Controller, which
keeps topics, partitions and SPUs) and `spu` (the Streaming Processing Unit, which keeps and serves
records) as `python -m`, and knows them by the wire only. Both serve with `net`; the SPU keeps each
replica in `storage`. Import the parts, not this package: a server should load only its own.
"""
