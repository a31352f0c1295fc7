#!/usr/bin/env node
/**
 * The program `hooklayer-emulator`: `hooklayer emulator --show-secrets`, with its exit codes from before there was
 * `hooklayer`. They are 0 when it was stopped, and 1 for everything that is wrong.
 */
process.argv.splice(2, 0, 'emulator', '--show-secrets')
process.on('exit', (code) => {
  process.exitCode = code === 130 ? 0 : Math.min(code, 1)
})
void import('./main.ts')
