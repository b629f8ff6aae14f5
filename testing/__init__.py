"""Test programs that use Slotbook on real servers: fixtures for pytest, which finds them by itself.

::

    def test_a_fill(book):  # a book with a prefix of its own, on a private server
        book.orders.place(order)

``pip install "slotbook[testing]"`` brings pytest and the server. The fixtures are in :mod:`slotbook.testing.plugin`,
and ``docs/how-to/testing.md`` shows them. Nothing else of Slotbook is imported before a test asks for one of them.
"""
