/** A text that was read, or why it cannot be. The fault is one line and never quotes the text. */
export type TextReading =
  | { readonly text: string; readonly fault?: never }
  | { readonly fault: string; readonly text?: never };
