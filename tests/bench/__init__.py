"""Speed and memory, as ratios within one run: `make bench`, or `python -m tests.bench --help`.

`commands`, `transfers`, `lines` and `official` measure rows and say what each must reach. References run in
turn with what they are compared to (`measuring`), in the same run: a number without its reference says more
about the machine than about the program. `report` prints. `peers` runs other engines beside ours.

Results and conditions: docs/benchmarks.md; what bounds each row: docs/performance.md.
"""
