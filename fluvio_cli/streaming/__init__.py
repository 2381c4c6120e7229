"""The running halves of `produce` and `consume`.

`lines` reads input, `producing` and `consuming` move records, `interrupt` ends them in order. What becomes of
consumed records: `displays`, of the full table: `table_display`, which has the terminal by `table_screen`.

They run in asyncio and are imported only when one of the two commands does.
"""
