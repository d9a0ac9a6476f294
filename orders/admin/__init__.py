"""Where managers keep the shop: customers, orders, appointments, opening hours, help articles.

Pages only: an order moves and an appointment closes through the methods of their models, and what the database refuses is a
sentence on the form. Facts are read only. Every list asks the database a constant number of questions.
"""

from . import appointments, help_articles, opening_hours, orders

__all__ = ["appointments", "help_articles", "opening_hours", "orders"]
