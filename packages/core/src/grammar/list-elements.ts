/**
 * The elements of a list without quoted strings (RFC 9110, section 5.6.1), without surrounding spaces and tabs; empty
 * ones are dropped. `trim()` would remove Unicode white space too, which makes an element malformed.
 */
export function listElements(value: string): string[] {
  const elements: string[] = [];
  for (const part of value.split(",")) {
    let begin = 0;
    let end = part.length;
    while (begin < end && isBlank(part, begin)) begin++;
    while (begin < end && isBlank(part, end - 1)) end--;
    if (begin < end) elements.push(part.slice(begin, end));
  }
  return elements;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}
