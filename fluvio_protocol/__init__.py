"""Fluvio's wire protocol without any input or output.

`wire` turns declarations into codecs; `frame` splits and builds frames; `batch` and `compression` are the
record batches that travel in produce and fetch and lie in log files; `error_code` is the table of errors
and their exceptions; `api` holds every request, answer and object, one module per subject; `negotiation`
picks versions. Each number and layout names its source in docs/protocol.md.
"""
