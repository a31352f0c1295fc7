/** One secret for each topic, as Commerce Layer creates them. */
export const SECRETS = {
  'orders.place': '0f4ab4d9c46ab3c3a24ea9c7cbd6a8d1',
  'orders.create': '6f1c9e01b4f84a7a9b9f1f5a6d0b2c3e',
  'customers.create': '9c7a5b3d1e2f40618273a4b5c6d7e8f9',
  'galaxies.explode': 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
}
