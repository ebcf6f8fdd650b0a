import { describe, it } from 'node:test'
import assert from 'node:assert/strict'
import { Cart } from '../lib/cart.js'

describe('cart', () => {
  it('is empty at first', () => assert.equal(new Cart().total(), 0))
  it('adds up', () => {
    const cart = new Cart()
    cart.add(3)
    cart.add(4)
    assert.equal(cart.total(), 7)
  })
})
