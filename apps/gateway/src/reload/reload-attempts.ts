/** The steps of a reload. */
export interface ReloadSteps {
  /** Applies the configuration in the file, or throws and changes nothing. */
  readonly replace: () => Promise<void>;
  /**
   * Whether that is worth another attempt, found out without a trace; may throw why it is not, as `replace` would. False:
   * not as the file is now.
   */
  readonly isPossible: () => Promise<boolean>;
  /** Reports why the configuration was rejected. */
  readonly refuse: (error: unknown) => void;
  /** In words, to tell whether a reason is another one. */
  readonly describe: (error: unknown) => string;
}

export interface ReloadAttempts {
  /** Resolves when the configuration is applied or rejected. */
  reload(): Promise<void>;
  /** Lets no further attempt begin, and resolves when none runs. */
  stop(): Promise<void>;
}

/** How often a rejected configuration is tried again, in milliseconds. */
const retryInterval = 2000;

/**
 * Runs reloads one after the other. A rejected configuration is tried again until it or another one is applied, because a
 * missing file may appear. The same reason is reported once.
 */
export function reloadAttempts({ replace, isPossible, refuse, describe }: ReloadSteps): ReloadAttempts {
  let last: Promise<void> = Promise.resolve();
  let reported: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function attempt(step: () => Promise<boolean>): Promise<void> {
    if (stopped) return;
    clearTimeout(timer);
    try {
      if (await step()) return;
    } catch (error) {
      const reason = describe(error);
      if (reason !== reported) refuse(error);
      reported = reason;
    }
    if (!stopped) timer = setTimeout(() => enqueue(again), retryInterval).unref();
  }

  async function first(): Promise<boolean> {
    reported = undefined;
    await replace();
    return true;
  }

  async function again(): Promise<boolean> {
    if (!(await isPossible())) return false;
    await replace();
    return true;
  }

  function enqueue(step: () => Promise<boolean>): Promise<void> {
    last = last.then(() => attempt(step));
    return last;
  }

  return {
    reload: () => enqueue(first),
    stop() {
      stopped = true;
      clearTimeout(timer);
      return last;
    },
  };
}
