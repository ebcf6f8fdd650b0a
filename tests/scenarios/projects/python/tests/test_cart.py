import unittest

from cart import Cart


class CartTest(unittest.TestCase):
    def test_is_empty_at_first(self):
        self.assertEqual(Cart().total(), 0)

    def test_adds_up(self):
        cart = Cart()
        cart.add(3)
        cart.add(4)
        self.assertEqual(cart.total(), 7)

    def test_refuses_what_is_no_price(self):
        with self.assertRaises(ValueError):
            Cart().add(-1)
