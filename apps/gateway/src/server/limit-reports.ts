const period = 1000;

/**
 * Passes on at most so many reports a second, so that what clients do wrong does not fill the log. The others are counted.
 *
 * @param leftOut Is told, at the end of the second, how many there were beyond.
 */
export function limitReports<T>(
  mostPerSecond: number,
  report: (item: T) => void,
  leftOut: (count: number) => void,
): (item: T) => void {
  let count = 0;
  const end = (): void => {
    const beyond = count - mostPerSecond;
    count = 0;
    if (beyond > 0) leftOut(beyond);
  };
  return (item) => {
    if (count === 0) setTimeout(end, period).unref();
    count++;
    if (count <= mostPerSecond) report(item);
  };
}
