"""What `fluvio top` shows: a cluster, sampled again and again.

Four parts, of which only the last knows Textual:

    model     pure: one `Sample` of a cluster, and what two of them tell (`Standing`: rates, lag)
    source    asks the servers: a `ClusterSource` keeps one connection to each, used by one thread
    follow    the threads that ask, and the `Mailbox` in which the newest `Picture` waits to be drawn
    screen    the Textual application: it draws pictures, and tells `follow` what a person wants to see

So the screen never waits for a server, and a server that is slow makes figures old, not keys. What is kept
has bounds: the last two samples, as many rates as the line of the past is wide, the last records of one
partition. A mailbox holds one picture: one that nobody has drawn yet is replaced.

A sample that fails closes all connections; the screen says why and keeps the figures it has, and the next
turn connects anew. Names and records may be written by anybody: `model.shown` makes them harmless, and no
text is read as Textual's markup.
"""
