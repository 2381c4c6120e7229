"""Declared state: topics, table formats and profiles as files say them; `plan`, `apply` and `export`.

How it works:

- `reading` makes one `Declaration` of all files; what is wrong is an error that names file and key. Each
  section has the spelling of the official file for its subject (docs/topic-config.md, docs/table-formats.md,
  the profile file), and the readers of those files read it.
- `observing` asks the cluster and reads the profile file: an `Observed`. It also asks the cluster to check,
  and not to create, the topics that are not there, so that a plan says already what would be refused.
- `planning` compares the two, purely: a `Plan` of steps. Both sides become documents (`documents`), the
  form in which `export` writes them, and are compared key by key, so that an export never differs from what
  it was made of. What a declaration leaves out has its documented default: the files say what is to be,
  whatever was there before. Only what guards or describes a cluster stays where nothing is said of it. The
  protocol has no update of a topic but more partitions, so all else is a difference with an obstacle, told in
  the plan, never left out.
- `applying` does the steps, tells each when it is done, and waits until partitions are online. The order
  keeps what people have: cluster objects, then profiles, then deletions, these only when all else went well.
  A refusal of one object does not keep the others; a lost connection ends the work. As each step is
  decided by what is there, the way on after any interruption is the same command again.
- `view` shows plans and outcomes, as text and as JSON.

A section that no file has is left alone whatever `--prune` says: a file of profiles deletes no topic. What no
declaration can say (mirror topics, a profile without its cluster) is never deleted either. Private keys that
stand in the profile file are not exported; a declaration without one keeps the one that is there.

The layout for other programs is `declaration.schema.json`; a test compares it with the reader.
"""
