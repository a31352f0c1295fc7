import { resolve } from 'node:path'
import ts from 'typescript'

/** What an editor shows in a file that imports the package. */
export interface Editor {
  /** The names that are offered at the `|` of the code, in an order that does not matter. */
  complete(code: string): string[]
  /** What is shown for the word at the `|` of the code. */
  hover(code: string): string
  /** The errors of the code. */
  check(code: string): string[]
  /** How many types the compiler makes of generic ones to check the code: its work, on any machine. */
  countInstantiations(code: string): number
}

const FILE = resolve('test/in-the-editor.ts')

/** Starts TypeScript's language service, with the options of this repository. */
export function createEditor(): Editor {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  let text = ''
  let version = 0
  const service = ts.createLanguageService({
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getCompilationSettings: () => options,
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [FILE],
    getScriptVersion: (name) => (name === FILE ? String(version) : '1'),
    getScriptSnapshot: (name) => {
      const content = name === FILE ? text : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
  })
  function open(code: string): number {
    text = code.replace('|', '')
    version += 1
    return code.indexOf('|')
  }
  return {
    complete(code) {
      const found = service.getCompletionsAtPosition(FILE, open(code), {})
      return found?.entries.map(({ name }) => name) ?? []
    },
    hover(code) {
      const found = service.getQuickInfoAtPosition(FILE, open(code))
      return ts.displayPartsToString(found?.displayParts)
    },
    check(code) {
      open(code)
      return service
        .getSemanticDiagnostics(FILE)
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    },
    countInstantiations(code) {
      open(code)
      const program = service.getProgram()
      program?.getSemanticDiagnostics(program.getSourceFile(FILE))
      return program?.getInstantiationCount() ?? Number.NaN
    },
  }
}
