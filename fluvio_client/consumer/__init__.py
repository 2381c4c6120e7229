"""Consuming: `offsets` says where to start, `positions` what a slice brings and what to acknowledge (both
pure), `partition_stream` reads one partition, `consumer` merges partitions and keeps offsets."""
