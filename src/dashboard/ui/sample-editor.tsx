import type { ComponentChildren } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { Sample } from '../api.ts'
import { SampleForm, type SampleResource } from './sample-form.tsx'

interface EditorProps {
  readonly sample: Sample
  /** Of the button that sends. */
  readonly label: string
  readonly canSend: boolean
  /** Takes what was changed of the sample, if something was. */
  readonly onSend: (changes: { readonly resource?: SampleResource }) => void
  readonly result: ComponentChildren
  /** What is chosen beside the button. */
  readonly children?: ComponentChildren
}

/** The sample as a form and as JSON: a change of one is a change of the other. */
export function SampleEditor({ sample, label, canSend, onSend, result, children }: EditorProps) {
  const original = useMemo(() => toText(sample.resource), [sample])
  const [text, setText] = useState(original)
  const parsed = useMemo(() => parse(text), [text])
  const lastValid = useRef<SampleResource>(sample.resource)
  if (parsed.resource) lastValid.current = parsed.resource
  const submit = (event: Event) => {
    event.preventDefault()
    if (!parsed.resource || !canSend) return
    const resource = listChanges(sample.resource, parsed.resource)
    onSend(resource ? { resource } : {})
  }
  return (
    <form class="trigger" onSubmit={submit}>
      <div class="send-bar">
        {children}
        <button type="submit" class="primary" disabled={!parsed.resource || !canSend}>
          {label}
        </button>
        {text !== original && (
          <button type="button" onClick={() => setText(original)}>
            Undo changes
          </button>
        )}
      </div>
      {result}
      <div class="editor">
        <SampleForm
          resource={lastValid.current}
          original={sample.resource}
          isDisabled={!parsed.resource}
          onChange={(resource) => setText(toText(resource))}
        />
        <div class="json">
          <label for="json">JSON</label>
          <textarea
            id="json"
            spellcheck={false}
            value={text}
            aria-invalid={!parsed.resource}
            aria-describedby="json-problem"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <p id="json-problem" class="field-problem" role="status">
            {parsed.problem}
          </p>
        </div>
      </div>
    </form>
  )
}

function toText(resource: SampleResource): string {
  return JSON.stringify(resource, null, 2)
}

function parse(text: string): { readonly resource?: SampleResource; readonly problem?: string } {
  try {
    const resource: unknown = JSON.parse(text)
    if (typeof resource === 'object' && resource !== null && !Array.isArray(resource)) {
      return { resource: resource as SampleResource }
    }
    return { problem: 'A resource is an object: { "type": "orders", … }.' }
  } catch (error) {
    return { problem: `This is not JSON yet: ${error instanceof Error ? error.message : ''}` }
  }
}

/**
 * What is sent of an edited sample: nothing if it is as it was, the fields that have changed, or the whole of it if a
 * field was taken away or if it is another resource.
 */
function listChanges(original: SampleResource, edited: SampleResource): SampleResource | undefined {
  const isLess = Object.keys(original).some((key) => !(key in edited))
  if (isLess || edited.id !== original.id || edited.type !== original.type) return edited
  const changed = Object.entries(edited).filter(([key, value]) => {
    return JSON.stringify(value) !== JSON.stringify(original[key])
  })
  return changed.length > 0 ? Object.fromEntries(changed) : undefined
}
