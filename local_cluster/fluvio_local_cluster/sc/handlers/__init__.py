"""The public port: one module per call. `public.PublicService` is the table that joins them.

A handler decodes the payload, asks `sc.model` whether it may be, has `sc.controller` do it, and answers; what
a `Refusal` says becomes the `Status` of the answer.
"""
