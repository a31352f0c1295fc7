import { explainSignature } from 'hooklayer/testing'
import { CliError } from '../cli-error.ts'
import { type DefineCommand, describeExamples } from '../command.ts'
import { addSecretOptions, listOtherSecrets, readSecrets, type SecretFlags } from '../configuration/secrets.ts'
import { paint } from '../terminal/output.ts'
import { readInputFile, readStdin } from '../terminal/read-input.ts'

interface VerifyFlags extends SecretFlags {
  readonly topic: string
  readonly signature: string
  readonly body?: string
}

export const define: DefineCommand = (command, run) => {
  addSecretOptions(command.requiredOption('--topic <topic>', 'the header X-CommerceLayer-Topic, such as orders.place'))
    .requiredOption('--signature <text>', 'the header X-CommerceLayer-Signature')
    .option('--body <file>', 'the file with the body as it was received; default: stdin')
    .addHelpText(
      'after',
      describeExamples(
        [
          'A body in a file',
          'verify --topic orders.place --secret-env SECRET --signature "$SIGNATURE" --body order.json',
        ],
        ['From a pipe', 'verify --topic orders.place --secret "$SECRET" --signature "$SIGNATURE" --json < order.json'],
      ),
    )
    .action(
      run(async ({ output, signal }, { topic, signature, body: file, ...secretFlags }: VerifyFlags) => {
        if (secretFlags.secret === '-' && file === undefined) {
          throw new CliError('USAGE', 'Both the secret and the body would come from stdin: name a file with --body.')
        }
        const secrets = await readSecrets(topic, secretFlags, signal)
        const body = await (file === undefined ? readStdin('--body FILE', signal) : readInputFile(file, '--body'))
        const otherSecrets = listOtherSecrets(topic)
        const { matches, reason, offset } = await explainSignature({ body, signature, secrets, otherSecrets })
        const found = { topic, matches, bytes: body.byteLength, reason, offset }
        if (matches) {
          output.result(found, `${paint('green', 'true')}: the signature matches the ${body.byteLength} bytes.`)
          return 'OK'
        }
        const place = offset === undefined ? '' : ` The first byte that differs is at offset ${offset}.`
        output.result(found, `${paint('red', 'false')}: ${reason}${place}`)
        return 'FOUND_WRONG'
      }),
    )
}
