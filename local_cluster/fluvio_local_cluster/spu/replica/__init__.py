"""What an SPU decides about replicas, without sockets, tasks or files.

`assignment` follows the SC's pushes and says what to open and what to remove, `stream` is the flow control
of one consumer's stream, `consumer_offsets` the table of consumers' offsets and its records, `report` what
the SC has not been told yet.
"""
