/** Limits the number of concurrent requests, in total and for each client. */
export interface RequestBudget {
  /**
   * Takes a place.
   *
   * @param client The key of the client.
   * @returns the place, or the limit that is reached.
   */
  enter(client: string): Place | Full;
}

export type Full = "client" | "all";

export interface Place {
  /**
   * Counts the place for another client from now on: for the authenticated user in place of the address.
   *
   * @returns false where that client's limit is reached. The place must be left all the same.
   */
  moveTo(client: string): boolean;
  leave(): void;
}

/** How many requests of a client are in progress. */
interface Client {
  count: number;
}

/**
 * How many clients without a request in progress are kept. Adding and deleting an entry with each request would make V8
 * rebuild the table all the time and retain the old ones.
 */
const maxKept = 1024;

/**
 * @param inFlight In total.
 * @param inFlightPerClient For each user, or address without one.
 */
export function requestBudget(inFlight: number, inFlightPerClient: number): RequestBudget {
  const clients = new Map<string, Client>();
  let all = 0;

  function add(client: string): Client | undefined {
    let entry = clients.get(client);
    if (entry === undefined) {
      if (clients.size >= maxKept) forgetIdle();
      entry = { count: 0 };
      clients.set(client, entry);
    }
    if (entry.count >= inFlightPerClient) return undefined;
    entry.count++;
    return entry;
  }
  /** Each remaining client has a request in progress, so it takes a while until there are as many again. */
  function forgetIdle(): void {
    for (const [name, { count }] of clients) if (count === 0) clients.delete(name);
  }

  class Holding implements Place {
    #name: string;
    #holder: Client | undefined;

    constructor(name: string, holder: Client) {
      this.#name = name;
      this.#holder = holder;
    }

    moveTo(other: string): boolean {
      if (this.#holder !== undefined && this.#name === other) return true;
      if (this.#holder !== undefined) this.#holder.count--;
      this.#holder = add(other);
      this.#name = other;
      return this.#holder !== undefined;
    }

    leave(): void {
      if (this.#holder !== undefined) this.#holder.count--;
      this.#holder = undefined;
      all--;
    }
  }

  return {
    enter(name) {
      if (all >= inFlight) return "all";
      const holder = add(name);
      if (holder === undefined) return "client";
      all++;
      return new Holding(name, holder);
    },
  };
}
