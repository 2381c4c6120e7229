"""Consuming: `offsets` says where to start, `positions` what a slice brings and what to acknowledge,
`time_search` where the records of a time begin (all pure), `partition_stream` reads one partition, `consumer`
merges partitions and keeps offsets."""
