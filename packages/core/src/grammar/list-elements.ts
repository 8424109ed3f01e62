/**
 * The elements of a list without quotes (RFC 9110, section 5.6.1), without the blanks around them; empty ones are left
 * out. `trim()` would take away Unicode white space too, which is part of an element that is then malformed.
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
