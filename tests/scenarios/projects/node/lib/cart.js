export class Cart {
  #prices = []
  add(price) {
    this.#prices.push(price)
  }
  total() {
    return this.#prices.reduce((sum, price) => sum + price, 0)
  }
}
