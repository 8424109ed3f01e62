/** A secret that was planted, and must come out nowhere. */
export interface Canary {
  /** Where it was planted. */
  readonly name: string;
  readonly secret: string;
}

/** A secret that came out. */
export interface Leak {
  readonly name: string;
  /** How it was written. */
  readonly form: string;
  /** What stands around it. */
  readonly at: string;
}

/** Every canary in a text, however it is written there: plain, encoded for a URL or JSON, in Base64 or in hex. */
export function leaksIn(text: string, canaries: readonly Canary[]): Leak[] {
  const folded = text.toLowerCase();
  return canaries.flatMap(({ name, secret }) =>
    formsOf(secret).flatMap(([form, written, exact]) => {
      const at = exact ? text.indexOf(written) : folded.indexOf(written.toLowerCase());
      return at === -1 ? [] : [{ name, form, at: text.slice(Math.max(0, at - 60), at + written.length + 20) }];
    }),
  );
}

type Form = readonly [form: string, written: string, exact: boolean];

function formsOf(secret: string): Form[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset): Form => {
    // Somewhere within a longer text; the characters at the edges depend on what stands beside it.
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return [
      `Base64 at ${offset}`,
      encoded.slice(offset === 0 ? 0 : offset + 1, (bytes.length + offset) % 3 === 0 ? undefined : -1),
      true,
    ];
  });
  const [first] = base64;
  const forms: Form[] = [
    ["plain", secret, false],
    ["for a URL", encodeURIComponent(secret), false],
    ["for JSON", JSON.stringify(secret).slice(1, -1), false],
    ["hex", bytes.toString("hex"), false],
    ...base64,
    ...(first === undefined ? [] : [["Base64url", first[1].replaceAll("+", "-").replaceAll("/", "_"), true] as const]),
  ];
  return forms.filter(([, written], index) => forms.findIndex(([, other]) => other === written) === index);
}

/** What only a programmer should see: a stack, or a file of the program. */
const internals =
  /\n\s+at \S|\bat (?:async )?[\w.<>$ ]+ \((?:file:|node:|\/)|node:internal|node_modules|[\w/-]+\.(?:ts|js|mjs|cjs):\d+/;

/** Where a text shows what only a programmer should see. */
export function internalsIn(text: string): string | undefined {
  const match = internals.exec(text);
  return match === null ? undefined : text.slice(Math.max(0, match.index - 60), match.index + 60);
}
