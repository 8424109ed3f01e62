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
  /** Puts a node of this list, or one that is in no list, behind all others. */
  moveToEnd(node: LinkedNode<T>): void;
}

/** A node that is in no list yet. */
export function linkedNode<T>(value: T): LinkedNode<T> {
  return { value, previous: undefined, next: undefined, linked: false };
}

/** Makes an empty list. */
export function linkedList<T>(): LinkedList<T> {
  return new ConnectedNodes<T>();
}

/** A class: V8 makes a shape of its own for each object literal with a getter, and no code is compiled for many shapes. */
class ConnectedNodes<T> implements LinkedList<T> {
  first: LinkedNode<T> | undefined = undefined;
  last: LinkedNode<T> | undefined = undefined;

  append(value: T): LinkedNode<T> {
    const node = linkedNode(value);
    this.#link(node);
    return node;
  }

  remove(node: LinkedNode<T>): void {
    if (!node.linked) return;
    node.linked = false;
    if (node.previous === undefined) this.first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.last = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
  }

  moveToEnd(node: LinkedNode<T>): void {
    this.remove(node);
    this.#link(node);
  }

  #link(node: LinkedNode<T>): void {
    node.linked = true;
    node.previous = this.last;
    if (this.last === undefined) this.first = node;
    else this.last.next = node;
    this.last = node;
  }
}
