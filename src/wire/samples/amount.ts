/**
 * The three attributes in which Commerce Layer writes an amount of money: `{name}_cents`, `{name}_float` and
 * `formatted_{name}`. Amounts are in euros, formatted as in European markets: `€1.234,50`, `-€5,00`.
 */
export function toAmountFields(name: string, cents: number): Record<string, number | string> {
  return { [`${name}_cents`]: cents, [`${name}_float`]: cents / 100, [`formatted_${name}`]: formatEuros(cents) }
}

function formatEuros(cents: number): string {
  const digits = Math.abs(cents).toString().padStart(3, '0')
  const groups: string[] = []
  for (let end = digits.length - 2; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end))
  return `${cents < 0 ? '-' : ''}€${groups.join('.')},${digits.slice(-2)}`
}
