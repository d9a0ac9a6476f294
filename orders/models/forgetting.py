"""Forgets what the versions of the shop's rows still say of somebody who is to be forgotten."""

from collections.abc import Collection

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from .appointments import Appointment
from .customers import Customer
from .orders import Order, OrderItem


def forget_history(customer: Customer | None = None, *, phone: str = "", kept: Collection[int] = ()) -> int:
    """Delete every version of this customer, their orders and appointments, and of appointments for this number. How many went.

    Appointments whose ids are `kept` keep their versions. What staff did with the customer's row stays, and no longer names them.
    Call it last, in the transaction that changes or deletes the rows themselves: that, too, writes versions.
    """
    theirs = Q(pk__in=())
    if customer is not None:
        theirs |= Q(customer_id=customer.pk)
    if phone:
        theirs |= Q(phone=phone)
    # A version that names them gives the appointment away, and with it all its versions.
    appointments = set(Appointment.history.filter(theirs).values_list("id", flat=True)) - set(kept)
    gone = [Appointment.history.filter(id__in=appointments).delete()[0]]
    if customer is not None:
        orders = set(Order.history.filter(customer_id=customer.pk).values_list("id", flat=True))
        gone += [
            OrderItem.history.filter(order_id__in=orders).delete()[0],
            Order.history.filter(id__in=orders).delete()[0],
            Customer.history.filter(id=customer.pk).delete()[0],
        ]
        row = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Customer), object_id=str(customer.pk))
        row.update(object_repr="erased")
    return sum(gone)
