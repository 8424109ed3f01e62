/** A place in a {@link LinkedList}, which alone changes it. */
export interface LinkedNode<T> {
  readonly value: T;
  previous: LinkedNode<T> | undefined;
  next: LinkedNode<T> | undefined;
  linked: boolean;
}

/**
 * A list in which every operation takes constant time.
 *
 * An array removes from its middle in linear time. A `Set` has no last element, and reaches its first one by way of all
 * those that were deleted before it.
 */
export interface LinkedList<T> {
  readonly first: LinkedNode<T> | undefined;
  readonly last: LinkedNode<T> | undefined;
  /** Puts a value behind all others. */
  append(value: T): LinkedNode<T>;
  /** Removes a node of this list. Removing it again does nothing. */
  remove(node: LinkedNode<T>): void;
  /** Puts a node of this list behind all others. */
  moveToEnd(node: LinkedNode<T>): void;
}

/** Makes an empty list. */
export function linkedList<T>(): LinkedList<T> {
  let first: LinkedNode<T> | undefined;
  let last: LinkedNode<T> | undefined;

  function link(node: LinkedNode<T>): void {
    node.linked = true;
    node.previous = last;
    if (last === undefined) first = node;
    else last.next = node;
    last = node;
  }

  function unlink(node: LinkedNode<T>): void {
    if (!node.linked) return;
    node.linked = false;
    if (node.previous === undefined) first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) last = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
  }

  return {
    get first() {
      return first;
    },
    get last() {
      return last;
    },
    append(value) {
      const node: LinkedNode<T> = { value, previous: undefined, next: undefined, linked: false };
      link(node);
      return node;
    },
    remove: unlink,
    moveToEnd(node) {
      unlink(node);
      link(node);
    },
  };
}
