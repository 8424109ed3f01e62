import { type LinkedList, type LinkedNode, linkedList, linkedNode } from "./linked-list.ts";

/** Items that have a whole number each, such as the length of a queue. One with the highest number is at hand. */
export interface Ranking<T> {
  /** Of several, the one that has had the highest number for the longest. */
  readonly highest: T | undefined;
  /** Gives an item its number; with 0 it is forgotten. Takes constant time where numbers change by one. */
  set(item: T, rank: number): void;
}

export function createRanking<T>(): Ranking<T> {
  const places = new Map<T, { rank: number; readonly node: LinkedNode<T> }>();
  /** The items of each number. */
  const levels: LinkedList<T>[] = [linkedList()];
  let top = 0;

  function level(rank: number): LinkedList<T> {
    levels[rank] ??= linkedList();
    return levels[rank];
  }

  return {
    get highest() {
      return level(top).first?.value;
    },
    set(item, rank) {
      let place = places.get(item);
      if (place !== undefined) level(place.rank).remove(place.node);
      if (rank === 0) {
        places.delete(item);
      } else {
        if (place === undefined) {
          place = { rank, node: linkedNode(item) };
          places.set(item, place);
        }
        place.rank = rank;
        level(rank).moveToEnd(place.node);
      }
      top = Math.max(top, rank);
      while (top > 0 && level(top).first === undefined) top--;
    },
  };
}
