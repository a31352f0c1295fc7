import { Argument } from 'commander'
import { type DefineCommand, describeExamples } from '../command.ts'
import { describeCommands } from '../completion/describe-commands.ts'
import { SHELLS, type Shell, writeScript } from '../completion/scripts.ts'
import { CATALOG } from '../configuration/catalog.ts'

export const define: DefineCommand = (command, run) => {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      describeExamples(
        ['For this session of bash', 'completion bash > hooklayer.bash && source hooklayer.bash'],
        ['For fish', 'completion fish > ~/.config/fish/completions/hooklayer.fish'],
      ),
    )
    .action(
      run(async ({ output, loadCommands }, _flags: object, shell: Shell) => {
        const script = writeScript(shell, describeCommands(await loadCommands()), CATALOG)
        // The script is what was asked for, so it goes where a shell reads it.
        if (output.json) output.result({ shell, script }, script)
        else process.stdout.write(script)
        if (process.stdout.isTTY) output.info(`To use it, ${SHELLS[shell]}`)
      }),
    )
}
