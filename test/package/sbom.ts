import { execFileSync } from 'node:child_process'

interface Component {
  readonly 'bom-ref': string
  readonly properties: readonly { readonly name: string }[]
}

interface Dependency {
  readonly ref: string
  readonly dependsOn: readonly string[]
}

/**
 * Prints the bill of materials in CycloneDX: what users install, by the lock file. `npm sbom --omit dev` also leaves out
 * what a development tool needs as well, so the whole bill is reduced here.
 */
const command = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']
const bill = JSON.parse(execFileSync('npm', command, { encoding: 'utf8', maxBuffer: 2 ** 28 }))

const components: Component[] = bill.components.filter(
  ({ properties }: Component) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
)
const refs = new Set([bill.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])])
const dependencies = bill.dependencies
  .filter(({ ref }: Dependency) => refs.has(ref))
  .map(({ ref, dependsOn }: Dependency) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }))
// npm names the bill after its folder.
const metadata = { ...bill.metadata, component: { ...bill.metadata.component, name: 'hooklayer' } }

console.log(JSON.stringify({ ...bill, metadata, components, dependencies }, undefined, 2))
