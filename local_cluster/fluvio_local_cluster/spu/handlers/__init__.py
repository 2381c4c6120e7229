"""The SPU's APIs: one module each. A handler decodes nothing; `net.dispatch` hands it the request."""
