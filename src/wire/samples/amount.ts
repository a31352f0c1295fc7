/**
 * The three attributes in which Commerce Layer writes one amount of money: `{name}_cents`, `{name}_float` and
 * `formatted_{name}`, in euros and in the way of its European markets (`€1.234,50`, `-€5,00`).
 */
export function amount(name: string, cents: number): Record<string, number | string> {
  return { [`${name}_cents`]: cents, [`${name}_float`]: cents / 100, [`formatted_${name}`]: euros(cents) }
}

function euros(cents: number): string {
  const digits = Math.abs(cents).toString().padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, '.')
  return `${cents < 0 ? '-' : ''}€${whole},${digits.slice(-2)}`
}
