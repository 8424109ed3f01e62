/** What stands behind the name of a script; pnpm passes on the `--` that may stand before it. */
export function parametersOf(argv: readonly string[]): readonly string[] {
  const parameters = argv.slice(2);
  return parameters[0] === "--" ? parameters.slice(1) : parameters;
}
