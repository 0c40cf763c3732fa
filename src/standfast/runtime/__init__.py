"""The shell: everything that touches the world while a guard runs.

Nothing is imported here, because the parent process lives in this room and has to stay small.
"""
