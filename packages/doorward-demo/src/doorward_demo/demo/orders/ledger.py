"""Orders in memory: each person starts with three, so that there is something to show."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec import Struct

_MOST_PEOPLE: Final = 1000
_MOST_ORDERS: Final = 50
_SAMPLES: Final = (
    ("Brass door hinge", 2, "delivered"),
    ("Oak threshold", 1, "on its way"),
    ("Bell, hand-cast", 1, "packed"),
)


class Order(Struct, frozen=True):
    """One order; `owner` is the `sub` of the person who placed it."""

    number: int
    item: str
    quantity: int
    status: str
    owner: str


class Ledger:
    """All orders. Bounded: the people seen longest ago are dropped first, and so are the oldest orders of each."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, list[Order]] = OrderedDict()
        self._next = 1001

    def of(self, owner: str) -> list[Order]:
        """One person's orders, newest first."""
        if owner not in self._orders:
            self._orders[owner] = []
            for item, quantity, status in _SAMPLES:
                self._add(owner, item, quantity, status)
        self._orders.move_to_end(owner)
        while len(self._orders) > _MOST_PEOPLE:
            self._orders.popitem(last=False)
        return self._orders[owner][::-1]

    def of_everybody(self) -> list[Order]:
        """All orders, newest first."""
        every = [order for orders in self._orders.values() for order in orders]
        return sorted(every, key=lambda order: -order.number)

    def invoices(self, owner: str) -> list[dict[str, str]]:
        """One person's invoices, one for each order."""
        return [
            {"number": f"R-{order.number}", "order": order.item, "paid_from": "DE89 •••• •••• •••• •••• 00"}
            for order in self.of(owner)
        ]

    def place(self, owner: str, item: str, quantity: int) -> Order:
        """Add one order."""
        self.of(owner)
        order = self._add(owner, item, quantity, "new")
        del self._orders[owner][:-_MOST_ORDERS]
        return order

    def _add(self, owner: str, item: str, quantity: int, status: str) -> Order:
        order = Order(self._next, item, quantity, status, owner)
        self._next += 1
        self._orders[owner].append(order)
        return order
