/** A tree of include paths: `['a.b', 'a.c']` is `a` with `b` and `c` below it. */
export interface IncludeTree extends ReadonlyMap<string, IncludeTree> {}

type Branch = Map<string, Branch>

/**
 * Reads dotted paths such as `['line_items.item', 'customer']`, the form of a webhook's `include_resources`, into a
 * tree.
 */
export function readIncludePaths(paths: readonly string[]): IncludeTree {
  const root: Branch = new Map()
  for (const path of paths) {
    let branch = root
    for (const name of path.split('.')) {
      const next: Branch = branch.get(name) ?? new Map()
      branch.set(name, next)
      branch = next
    }
  }
  return root
}
