"""Customers' and orders' pages."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from orders.models import Customer, Order, OrderItem, WrongState
from staff import masking
from staff.exports import Exported
from staff.long_lists import EstimatingPaginator
from staff.versioned import Versioned, VersionedForm, named

if TYPE_CHECKING:
    OrderRows = admin.TabularInline[Order, Customer]
    OrderItemRows = admin.TabularInline[OrderItem, Order]
else:
    OrderRows = OrderItemRows = TabularInline

COLOURS = {
    Order.Status.PLACED.label: "primary",
    Order.Status.PACKED.label: "info",
    Order.Status.SHIPPED.label: "warning",
    Order.Status.DELIVERED.label: "success",
    Order.Status.CANCELLED.label: "danger",
    Order.Status.RETURNED.label: "default",
}


class OrdersOfCustomer(OrderRows):
    model = Order
    fields = readonly_fields = ("number", "status", "placed_at", "estimated_delivery")
    show_change_link = True
    can_delete = False
    extra = max_num = 0
    tab = True


@admin.register(Customer)
class CustomerAdmin(Exported, Versioned):
    exported = ("name", "email", "phone", "address", "postcode", "order_count", "since")
    contacts = {"email": masking.email, "phone": masking.number, "address": masking.whole, "postcode": masking.whole}
    list_display = ("name", "email", "phone", "postcode", "orders_placed", "since")
    search_fields = ("name", "email", "phone", "postcode", "=orders__number")
    search_help_text = "A name, e-mail, telephone number, postcode or order number"
    fields = ("name", "email", "phone", "address", "postcode", "since")
    readonly_fields = ("since",)
    inlines = (OrdersOfCustomer,)
    ordering = ("name",)
    list_per_page = 50
    show_full_result_count = False
    paginator = EstimatingPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        customers: QuerySet[Customer] = super().get_queryset(request)
        orders = Order.objects.filter(customer=OuterRef("pk")).order_by().values("customer").annotate(n=Count("pk")).values("n")
        return customers.annotate(order_count=Coalesce(Subquery(orders), 0))

    @admin.display(description="Orders")
    def orders_placed(self, customer: Any) -> int:
        return int(customer.order_count)


class ItemsOfOrder(OrderItemRows):
    model = OrderItem
    extra = 0
    min_num = 0

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return (obj is None or obj.can_be_cancelled) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (not isinstance(obj, Order) or obj.can_be_cancelled) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (not isinstance(obj, Order) or obj.can_be_cancelled) and super().has_delete_permission(request, obj)


class OrderForm(VersionedForm):
    def histories(self) -> list[QuerySet[Any]]:
        return histories(self.instance)


def histories(order: Order) -> list[QuerySet[Any]]:
    """Whoever changes an order's items changes the order."""
    return [order.history.all(), OrderItem.history.filter(order_id=order.pk)]


@admin.register(Order)
class OrderAdmin(Exported, Versioned):
    form = OrderForm
    exported = (
        *("number", "customer", "status", "items_total", "placed_at", "estimated_delivery", "carrier", "tracking_number"),
        *("shipped_at", "delivered_at", "returned_at", "cancelled_at", "cancelled_by"),
    )
    list_display = ("number", "customer", "state", "placed_at", "estimated_delivery", "amount")
    list_filter = (("status", ChoicesDropdownFilter), ("placed_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("customer",)
    list_per_page = 50
    show_full_result_count = False
    paginator = EstimatingPaginator
    search_fields = ("number", "customer__name", "customer__email", "customer__phone", "tracking_number")
    search_help_text = "An order number, a customer's name, e-mail or telephone number, or a tracking number"
    autocomplete_fields = ("customer",)
    inlines = (ItemsOfOrder,)
    actions = ("pack_chosen", "ship_chosen", "deliver_chosen", "cancel_chosen")
    actions_submit_line = ("pack", "ship", "deliver", "take_back", "cancel")
    happened = ("placed_at", "shipped_at", "delivered_at", "returned_at", "cancelled_at", "cancelled_by")
    facts = ("state", "amount", *happened)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.with_totals().newest_first()

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        happened = [name for name in self.happened if obj and getattr(obj, name)]
        return (
            (None, {"fields": ("number", "customer", "state", "amount")}),
            ("Delivery", {"fields": ("estimated_delivery", "carrier", "tracking_number")}),
            *([("What happened", {"fields": happened})] if happened else []),
        )

    def histories(self, row: Order) -> list[QuerySet[Any]]:
        return histories(row)

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[str, ...]:
        return self.facts if obj is None else ("number", "customer", *self.facts)

    @display(description="Status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]  # unfold has no types
    def state(self, order: Order) -> str:
        return order.get_status_display()

    @admin.display(description="Total")
    def amount(self, order: Any) -> str:
        return f"${order.items_total:,.2f}" if order.pk else "–"

    # One order, on its page
    @action(description="Packed", permissions=["pack"])  # type: ignore[untyped-decorator]
    def pack(self, request: HttpRequest, order: Order) -> None:
        move(request, [order], Order.pack, "packed")

    @action(description="Shipped", permissions=["ship"])  # type: ignore[untyped-decorator]
    def ship(self, request: HttpRequest, order: Order) -> None:
        move(request, [order], Order.ship, "shipped")

    @action(description="Delivered", permissions=["deliver"])  # type: ignore[untyped-decorator]
    def deliver(self, request: HttpRequest, order: Order) -> None:
        move(request, [order], Order.deliver, "delivered")

    @action(description="Returned", permissions=["take_back"])  # type: ignore[untyped-decorator]
    def take_back(self, request: HttpRequest, order: Order) -> None:
        move(request, [order], Order.take_back, "returned")

    @action(description="Cancel the order", permissions=["cancel"])  # type: ignore[untyped-decorator]
    def cancel(self, request: HttpRequest, order: Order) -> None:
        move(request, [order], lambda one: one.cancel(by=request.user.get_username()), "cancelled")

    def has_pack_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_become(Order.Status.PACKED, request, object_id)

    def has_ship_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_become(Order.Status.SHIPPED, request, object_id)

    def has_deliver_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_become(Order.Status.DELIVERED, request, object_id)

    def has_take_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_become(Order.Status.RETURNED, request, object_id)

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_become(Order.Status.CANCELLED, request, object_id)

    def _may_become(self, status: str, request: HttpRequest, object_id: Any) -> bool:
        """Whether to show the button; whether the order moves is settled when it is pressed."""
        if not self.has_change_permission(request):
            return False
        return object_id is None or named(Order.objects.filter(status__in=Order.before(status)), object_id).exists()

    # Several, in the list
    @admin.action(description="Mark as packed", permissions=["change"])
    def pack_chosen(self, request: HttpRequest, orders: QuerySet[Order]) -> list[int]:
        return move(request, orders, Order.pack, "packed")

    @admin.action(description="Mark as shipped", permissions=["change"])
    def ship_chosen(self, request: HttpRequest, orders: QuerySet[Order]) -> list[int]:
        return move(request, orders, Order.ship, "shipped")

    @admin.action(description="Mark as delivered", permissions=["change"])
    def deliver_chosen(self, request: HttpRequest, orders: QuerySet[Order]) -> list[int]:
        return move(request, orders, Order.deliver, "delivered")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel_chosen(self, request: HttpRequest, orders: QuerySet[Order]) -> list[int]:
        return move(request, orders, lambda order: order.cancel(by=request.user.get_username()), "cancelled")


def move(request: HttpRequest, orders: Iterable[Order], step: Callable[[Order], None], outcome: str) -> list[int]:
    """Let each order take a step, and say which did. Their keys."""
    moved, refused = [], []
    for order in orders:
        try:
            step(order)
            moved.append(order)
        except WrongState as refusal:
            refused.append(f"{order.number} is {refusal.order.status}")
    if moved:
        messages.success(request, f"{', '.join(order.number for order in moved)}: {outcome}.")
    if refused:
        messages.error(request, f"{'; '.join(refused)}: cannot be {outcome}.")
    return [order.pk for order in moved]
