"""How fast, at the same proven accuracy?  `python -m bench` runs and reports; docs/method.md says how.

Nothing heavy is imported here: a worker process starts through this package and pins its threads first.
"""
