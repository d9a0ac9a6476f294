"""The shop's rows and the rules they keep. Nothing here knows that anybody telephones, except `Proof`."""

from .appointments import Appointment, NotFree, TooMany
from .confirmations import Confirmation
from .customers import Customer
from .forgetting import forget_history
from .help_articles import HelpArticle
from .opening_hours import Closure, OpeningHours, ShopHours
from .orders import Order, OrderItem, WrongState
from .proofs import Proof
from .tallies import Tally

__all__ = [
    "Appointment",
    "Closure",
    "Confirmation",
    "Customer",
    "HelpArticle",
    "NotFree",
    "OpeningHours",
    "Order",
    "OrderItem",
    "Proof",
    "ShopHours",
    "Tally",
    "TooMany",
    "WrongState",
    "forget_history",
]
