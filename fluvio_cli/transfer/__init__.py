"""Topics to files and back, and from cluster to cluster: `topic export|import|replay|copy|diff`.

What moves is a `pieces.Piece`: records of one partition, in order, as a batch of the wire or as columns,
made of each other only when somebody asks. A batch that goes through as it is costs the same whether it
holds one record or a thousand, so copying and the binary form do no work per record; JSON lines and masks
do.

    topic  --reading-->  pieces  --forms-->  bytes  --containers-->  file       export
    file   --containers-->  bytes  --forms-->  pieces  --writing-->  topic      import, replay
    topic  --reading-->  pieces  [--masking-->]  --writing-->  topic            copy
    topic  --reading-->  pieces  --digest-->  what differs                      diff

Deciding, without I/O: `pieces` (records, and how they become batches), `lines` and `blocks` (the two
forms), `containers` (gzip members, zstd frames), `files` (a whole file of either form), `settings` (a
topic's settings as JSON), `masking`, `digest`, `pace`, `state` (what an import notes). Doing: `reading`,
`writing`, `resuming`, `exporting`, `importing`, `replaying`, `copying`, `comparing`; `places` says which
cluster is meant. Format of files: docs/topic-files.md.

Interruption. A file is only ever appended to, in units that are whole by themselves (a line, a block, a
gzip member, a zstd frame). `export --resume` walks the file, cuts off the last unit if it is not whole, and
goes on after the offsets that it met. An import notes beside the file how many records of each partition
were acknowledged and at which offset the next one will be; records that were stored after the last note are
found by `import --resume` between that offset and the end of the topic, and compared with those of the
file: so none is stored twice and none is left out, whenever the command ended. A server may still be busy
with what a killed command had sent; so the topic's end counts when it has not moved for a second. Without a
note, as after an import that is done, the whole topic is compared with the file before anything is sent;
`copy --resume` always compares the whole target.

Memory: files are read and written by the megabyte; the producer holds 8 MiB that are not acknowledged; each
partition that is read holds some slices (`reading`).
"""
