"""Attacks on the agent, by callers with a silver tongue and through a model that obeys them in everything.

What is tried is data: a table for each family in `families/`. Each attack is a call, held by the call's own rules, with the real
tools on a real PostgreSQL and the real log; only the model is a stand-in, which does whatever it is told with whatever words it
is told it in. What counts is what came of it: nothing of another customer's told, nothing changed, nobody rung who is not on the
list. `python -m tests.attacks` counts the families.
"""
