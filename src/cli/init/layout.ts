import type { Project } from './project.ts'

/** What `init` was told. */
export interface Choices {
  readonly framework: Framework
  readonly topics: readonly string[]
  /** The name of a driver, or `none`. */
  readonly inbox: string
  readonly store: string
}

export const FRAMEWORKS = {
  express: 'Express 4 or 5',
  next: 'Next.js, App Router',
  nest: 'NestJS 10 to 12',
  lambda: 'AWS Lambda: function URL, API Gateway or a load balancer',
} as const

export type Framework = keyof typeof FRAMEWORKS

/** Where the files of a project go, and how they are written. */
export interface Layout extends Choices {
  readonly project: Project
  /** `src/` or nothing. */
  readonly root: string
  /** The ending of relative imports: none where a bundler or CommonJS looks for the file. */
  readonly ending: '.js' | ''
}

/** What a framework needs beside what all have. */
export interface FrameworkPlan {
  readonly files: Readonly<Record<string, string>>
  readonly testFile: string
  /** Default: one that imports the receiver. */
  readonly config?: string
  readonly packages: readonly string[]
  readonly devPackages: readonly string[]
  readonly toDo: readonly string[]
  readonly start: string | undefined
}

/** The text of a file. */
export function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
