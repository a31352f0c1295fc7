/** Calls what is given, so many at once, each as soon as one before it has ended. */
export async function sendAll(work: readonly (() => unknown)[], senders: number): Promise<void> {
  let next = 0
  const send = async () => {
    for (let act = work[next++]; act; act = work[next++]) await act()
  }
  await Promise.all(Array.from({ length: senders }, send))
}
