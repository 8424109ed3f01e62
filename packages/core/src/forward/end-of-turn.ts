/**
 * Makes a function that takes items, and gives each of them to `act` when everything that has arrived in this turn of the
 * event loop was read. What is sent then leaves together: whoever reads it is woken once, and not again and again, which
 * costs the kernel more than the sending itself.
 *
 * @param act Must not throw.
 */
export function atEndOfTurn<T>(act: (item: T) => void): (item: T) => void {
  let waiting: T[] = [];

  function actOnAll(): void {
    const items = waiting;
    waiting = [];
    for (const item of items) act(item);
  }

  return (item) => {
    if (waiting.push(item) === 1) setImmediate(actOnAll);
  };
}
