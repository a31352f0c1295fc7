/** Whether a key is meant for a field, or for a dialog that is open. */
export function isTyping({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]')) return true
  return target instanceof Element && target.matches('input:not([type=checkbox]), textarea, select')
}
