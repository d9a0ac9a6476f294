"""The shop: customers, orders, appointments, opening hours, help articles; the tools it lends to the agent.

Rules live in `models`, as methods of what they rule. `tools` puts them into words for a caller, `admin` into pages for
managers, and neither decides anything. `spoken` understands and reads out what people say, and knows no database.
"""
