"""Producing: `partitioner` picks the partition, `accumulator` collects records into batches (both pure),
`sending` takes the batches to their leaders, `producer` is what users see."""
