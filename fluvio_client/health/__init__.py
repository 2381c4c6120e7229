"""Whether a cluster works: one record to each of its SPUs and back.

`report` holds what was found and judges it, and names the topics that a check uses; `probe` does it, over the
public API alone, so that it works with any cluster. Import from the modules: this package imports nothing.
"""
