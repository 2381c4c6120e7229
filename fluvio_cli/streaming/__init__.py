"""The running halves of `produce` and `consume`.

`lines` reads input, `producing` and `consuming` move records, `interrupt` ends them in order.

They run in asyncio and are imported only when one of the two commands does.
"""
