"""A pytest plugin: a streaming cluster for the tests of anybody's programs.

`plugin` is the entry point, which pytest imports in every session: it holds fixtures and options and loads
the rest when a test asks for a cluster. `cluster` is what fixtures give: the cluster, and its records by
plain function calls. `records` are records that say how they differ from what a test wanted. Each worker of
pytest-xdist has a session of its own, and so a cluster of its own. docs/pytest.md is for users.
"""
