"""What people and accidents do to the program: each module tries one kind of it, a few in the tests, many by hand.

`python -m tests.robustness` tries all of them in full and writes `docs/robustness.md`.
"""
