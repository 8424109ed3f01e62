/** Things that are open, and are to be closed together. */
export interface ClosingStack {
  /** Waits until a thing is open, and keeps it. */
  keep<T extends { close(): Promise<unknown> }>(opening: Promise<T>): Promise<T>;
  /** Closes them all, the last opened first. Calling it again does nothing. */
  close(): Promise<void>;
}

export function closingStack(): ClosingStack {
  const opened: { close(): Promise<unknown> }[] = [];
  return {
    async keep(opening) {
      const thing = await opening;
      opened.unshift(thing);
      return thing;
    },
    async close() {
      for (const thing of opened.splice(0)) await thing.close();
    },
  };
}
