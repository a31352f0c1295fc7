import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('the bill of materials is CycloneDX, and names what users install and nothing else', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const bill = JSON.parse(execFileSync('npm', ['run', '--silent', 'sbom'], { encoding: 'utf8' }))
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { type: 'library', name: 'hooklayer' } },
  })
  const names = bill.components.map((component: { name: string }) => component.name)
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)))
  for (const tool of ['vitest', 'typescript', 'fast-check']) {
    expect(Object.keys(devDependencies)).toContain(tool)
    expect(names).not.toContain(tool)
  }
})
