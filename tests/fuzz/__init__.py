"""Inputs nobody thought of, for everything that reads what others have written: `python -m tests.fuzz --seconds 60`."""
