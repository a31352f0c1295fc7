/** Calls all functions, `senders` at a time: the next one starts as soon as one has finished. */
export async function sendAll(work: readonly (() => unknown)[], senders: number): Promise<void> {
  let next = 0
  const send = async () => {
    for (let deliver = work[next++]; deliver; deliver = work[next++]) await deliver()
  }
  await Promise.all(Array.from({ length: senders }, send))
}
