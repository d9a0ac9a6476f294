"""Tests run against a real PostgreSQL and a real Valkey: the ones the environment names, or embedded ones made for the run."""
