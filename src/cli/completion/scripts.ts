import type { Place, Values, Word } from './describe-commands.ts'

/** The shells, and how each is told about the script. */
export const SHELLS = {
  bash: 'in ~/.bashrc: eval "$(npx hooklayer completion bash)"',
  zsh: 'in ~/.zshrc, after compinit: eval "$(npx hooklayer completion zsh)"',
  fish: 'npx hooklayer completion fish > ~/.config/fish/completions/hooklayer.fish',
} as const

export type Shell = keyof typeof SHELLS

/** Writes the completion script of a shell. Everything is in it: nothing runs the program when Tab is pressed. */
export function writeScript(shell: Shell, places: readonly Place[], topics: readonly string[]): string {
  return WRITERS[shell](places, topics)
}

const WRITERS: Readonly<Record<Shell, (places: readonly Place[], topics: readonly string[]) => string>> = {
  bash: writeBash,
  zsh: writeZsh,
  fish: writeFish,
}

/** The steps from place to place: `inbox`, and ` list` after it. */
function listSteps(places: readonly Place[]): string[] {
  return places.flatMap(({ path, commands }) => commands.map(({ text }) => `${path} ${text}`))
}

/** `one|two` of a `case`. */
function toPattern(texts: readonly string[]): string {
  return texts.map(quote).join('|')
}

/** In single quotes, for bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function writeBash(places: readonly Place[], topics: readonly string[]): string {
  const complete = (values: Values) => {
    if (values === 'file') return `COMPREPLY=($(compgen -f -- "$cur")); return`
    if (values === 'topics') return 'words=$topics'
    if (values === 'topic list') return `words=$topics; [[ $cur == *,* ]] && before=\${cur%,*}, cur=\${cur##*,}`
    return values === 'anything' ? 'return' : `words=${quote(values.join(' '))}`
  }
  const flagsWithValues = places.flatMap(({ path, flags }) =>
    flags.flatMap(({ text, values }) => (values ? [`    ${quote(`${path} ${text}`)}) ${complete(values)} ;;`] : [])),
  )
  const others = places.map(({ path, commands, flags, args }) => {
    const names = commands.map(({ text }) => text)
    const plain = names.length > 0 ? complete(names) : complete(args)
    const flagNames = complete(flags.map(({ text }) => text))
    return `      ${quote(path)}) if [[ $cur == -* ]]; then ${flagNames}; else ${plain}; fi ;;`
  })
  return `# Completion of hooklayer for bash: ${SHELLS.bash}
_hooklayer() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' before='' words='' i
  local topics=${quote(topics.join(' '))}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${toPattern(listSteps(places))}) at=\${at:+$at }\${COMP_WORDS[i]} ;;
    esac
  done
  case "$at $prev" in
${flagsWithValues.join('\n')}
    *) case "$at" in
${others.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -P "$before" -- "$cur"))
}
complete -F _hooklayer hooklayer
`
}

function writeZsh(places: readonly Place[], topics: readonly string[]): string {
  /** \`name:description\` of _describe. */
  const toItem = ({ text, about }: Word) => quote(`${text.replaceAll(':', '\\:')}:${about.replace(/\s+/g, ' ')}`)
  const describe = (words: readonly Word[]) => `items=(${words.map(toItem).join(' ')})`
  const complete = (values: Values) => {
    if (values === 'file') return '_files; return'
    if (values === 'topics') return 'items=($topics)'
    if (values === 'topic list') return 'compset -P "*,"; items=($topics)'
    return values === 'anything' ? 'return' : `items=(${values.map(quote).join(' ')})`
  }
  const flagsWithValues = places.flatMap(({ path, flags }) =>
    flags.flatMap(({ text, values }) => (values ? [`    ${quote(`${path} ${text}`)}) ${complete(values)} ;;`] : [])),
  )
  const others = places.map(({ path, commands, flags, args }) => {
    const plain = commands.length > 0 ? describe(commands) : complete(args)
    return `      ${quote(path)}) if [[ $PREFIX == -* ]]; then ${describe(flags)}; else ${plain}; fi ;;`
  })
  return `#compdef hooklayer
# Completion of hooklayer for zsh: ${SHELLS.zsh}
_hooklayer() {
  local at='' i
  local -a items topics
  topics=(${topics.join(' ')})
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${toPattern(listSteps(places))}) at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${flagsWithValues.join('\n')}
    *) case "$at" in
${others.join('\n')}
    esac ;;
  esac
  _describe hooklayer items
}
compdef _hooklayer hooklayer
`
}

function writeFish(places: readonly Place[], topics: readonly string[]): string {
  const quoteFish = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`
  const listValues = (values: Values) => {
    if (values === 'file') return '-rF'
    if (values === 'anything') return '-x'
    if (values === 'topics') return '-xa "$__hooklayer_topics"'
    if (values === 'topic list') return '-xa "(__hooklayer_topic_list)"'
    return `-xa ${quoteFish(values.join(' '))}`
  }
  const lines = places.flatMap(({ path, commands, flags, args }) => {
    const at = `complete -c hooklayer -n ${quoteFish(`__hooklayer_at ${quoteFish(path)}`)}`
    return [
      ...commands.map(({ text, about }) => `${at} -a ${text} -d ${quoteFish(about)}`),
      ...(args.length > 0 && args !== 'anything'
        ? [`${at} ${listValues(args).replace(/^-xa|^-rF/, (how) => (how === '-xa' ? '-a' : '-F'))}`]
        : []),
      ...flags.map(({ text, about, values }) => {
        return `${at} -l ${text.replace(/^--/, '')} -d ${quoteFish(about)}${values ? ` ${listValues(values)}` : ''}`
      }),
    ]
  })
  return `# Completion of hooklayer for fish: ${SHELLS.fish}
set -g __hooklayer_topics ${topics.join(' ')}
function __hooklayer_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${listSteps(places).map(quoteFish).join(' ')}
        set at (string trim "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
function __hooklayer_topic_list
  set -l before (string replace -r '[^,]*$' '' -- (commandline -ct))
  printf '%s\\n' "$before"$__hooklayer_topics
end
complete -c hooklayer -f
${lines.join('\n')}
`
}
