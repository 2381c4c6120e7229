"""Producing: `partitioner` picks the partition, `accumulator` collects records into batches (both pure),
`producer` sends them and hands out what became of each record."""
