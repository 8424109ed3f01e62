/** Keeps the number of requests in progress within limits, in all and by client. */
export interface RequestBudget {
  /**
   * Takes a place.
   *
   * @param client Who is asking, as far as that is known.
   * @returns the place, or whose limit is reached.
   */
  enter(client: string): Place | Full;
}

export type Full = "client" | "all";

export interface Place {
  /**
   * From now on the place counts for somebody else: for a user who has signed in, in place of the address.
   *
   * @returns false where their limit is reached. The place must be left all the same.
   */
  moveTo(client: string): boolean;
  leave(): void;
}

/** How many requests of a client are in progress. */
interface Client {
  count: number;
}

/**
 * So many clients are kept that have no request in progress. An entry made and deleted with each request would have V8
 * build the table anew all the time, and keep the old ones.
 */
const maxKept = 1024;

/**
 * @param inFlight In all.
 * @param inFlightPerClient By user, or by address without one.
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
  /** Each of those that are left has a request in progress, so that it is a while until there are as many again. */
  function forgetIdle(): void {
    for (const [name, { count }] of clients) if (count === 0) clients.delete(name);
  }

  return {
    enter(name) {
      if (all >= inFlight) return "all";
      let holder = add(name);
      if (holder === undefined) return "client";
      let holderName = name;
      all++;
      return {
        moveTo(other) {
          if (holder !== undefined && holderName === other) return true;
          if (holder !== undefined) holder.count--;
          holder = add(other);
          holderName = other;
          return holder !== undefined;
        },
        leave() {
          if (holder !== undefined) holder.count--;
          holder = undefined;
          all--;
        },
      };
    },
  };
}
