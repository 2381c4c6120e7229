"""`fluvio tap`: a proxy between a client and a cluster that shows what they say to each other.

Bytes come first. What arrives is passed on as it came, at the pace of its receiver; looking at it happens
beside. Only answers that tell where SPUs are (List and Watch of `SPU` and `CustomSpu`) are held until they
are complete, and leave with the addresses of the tap's own listeners, one for each SPU: else the data path
would go past the tap. With `only_sc` nothing is ever changed.

The parts, from the pure ones up:

* `catalogue`: which request an API key means at a server, from the declarations of `fluvio_protocol.api`;
* `framing`: follows one direction of a connection; says what to pass on and which frames went by;
* `conversation`: ties answers to requests by correlation id; knows what the server offered;
* `documents`: a frame as a document; `lines`: a document as a line of text or JSON;
* `addresses`: finds and changes SPUs' addresses in an answer; `totals`: counts for the table at the end;
* `events`, `recording`: what a tap tells, and the file in which frames are kept;
* `log`: a thread with a bounded queue between the proxy and whoever reads; `relay`: sockets; `running`: a
  run.

Decoding is done by the log's thread. Conversations are kept up by the proxy, so that what is dropped for a
slow reader is missing in what is shown and nowhere else.

Memory is bounded whatever clients and servers do: `framing.Room` counts the frames that are being
collected, a log the events that wait in it. What there is no room for is passed on, and shown without its
content, with the reason.
"""
