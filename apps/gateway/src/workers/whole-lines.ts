import { StringDecoder } from "node:string_decoder";

/**
 * Cuts what a process writes into whole lines, so that lines of several processes never stand within each other. What a
 * process has begun and not ended when it dies is dropped.
 *
 * @param take Gets one line or several, the end of the last one included.
 */
export function wholeLines(take: (lines: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let begun = "";
  return (chunk) => {
    const text = begun + decoder.write(chunk);
    const end = text.lastIndexOf("\n") + 1;
    begun = text.slice(end);
    if (end > 0) take(text.slice(0, end));
  };
}
