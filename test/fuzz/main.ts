import { parseArgs } from "node:util";
import { makeCertificate } from "../support/certificate.ts";
import { campaigns } from "./grammar/campaigns.ts";
import { formatFinding } from "./run/finding.ts";
import { type Course, fuzz } from "./run/fuzz.ts";
import { keep } from "./run/kept-case.ts";

const usage = `usage: npx --yes pnpm@12 fuzz [CAMPAIGN] [--minutes N] [--seed S] [--cases N] [--tls | --plain]

Attacks the gate by generated cases, from in front and from behind. Each violation is printed with the command that
reproduces it, and its simplest case is kept in test/fuzz/kept, where it is a test from then on.
Ends with 1 where there was one.

  CAMPAIGN     clients or registries: who is hostile; by default both in turn
  --minutes N  how long; 60 by default
  --seed S     of the first case; by default another one each time
  --cases N    how many cases of a campaign; by default as many as there is time for
  --tls        TLS on both sides; --plain: on none; by default both in turn
`;

/** A turn of one campaign, in milliseconds. */
const turn = 120_000;
const shrinking = 120_000;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: "string" },
      seed: { type: "string" },
      cases: { type: "string" },
      tls: { type: "boolean" },
      plain: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = campaigns.filter((campaign) => positionals.length === 0 || positionals.includes(campaign));
  const unknown = positionals.filter((name) => !campaigns.some((campaign) => campaign === name));
  if (unknown.length > 0) throw new TypeError(`no such campaign: ${unknown.join(", ")}`);
  const minutes = numberOf(values.minutes, 60);
  const cases = numberOf(values.cases, Number.POSITIVE_INFINITY);
  const transports =
    values.cases === undefined && values.tls !== true && values.plain !== true ? [false, true] : [values.tls === true];
  const certificate = await makeCertificate();
  const deadline = performance.now() + minutes * 60_000;
  const turns = transports.flatMap((tls) => chosen.map((campaign) => ({ campaign, tls })));
  let seed = numberOf(values.seed, Date.now() % 2 ** 30);
  let findings = 0;
  const keeping: Promise<string>[] = [];
  for (let index = 0; performance.now() < deadline; index++) {
    const next = turns[index % turns.length];
    if (next === undefined || (cases !== Number.POSITIVE_INFINITY && index === turns.length)) break;
    const begun = performance.now();
    process.stdout.write(`${next.campaign}${next.tls ? ", TLS" : ""}, from seed ${seed}\n`);
    const course = await fuzz({
      campaign: next.campaign,
      seed,
      cases,
      milliseconds: cases === Number.POSITIVE_INFINITY ? Math.min(turn, deadline - begun) : Number.POSITIVE_INFINITY,
      certificate: next.tls ? certificate : undefined,
      shrinking,
      found(finding) {
        findings++;
        process.stdout.write(`\n${formatFinding(finding)}\n`);
        if (finding.simplest !== undefined) keeping.push(keep(finding, finding.simplest));
        return true;
      },
    });
    if (cases === Number.POSITIVE_INFINITY) seed += course.cases;
    for (const path of await Promise.all(keeping.splice(0))) process.stdout.write(`kept: ${path}\n`);
    process.stdout.write(`${summaryOf(course, performance.now() - begun)}\n`);
  }
  process.stdout.write(findings === 0 ? "nothing was found\n" : `violations: ${findings}\n`);
  return findings === 0 ? 0 : 1;
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isNaN(value)) throw new TypeError(`no number: ${text}`);
  return value;
}

function summaryOf(course: Course, milliseconds: number): string {
  const rate = (course.cases / milliseconds) * 1000;
  const times = [...course.violations].filter(([, count]) => count > 0).map(([name, count]) => `  ${count} × ${name}`);
  return [
    `  ${course.cases} cases, ${rate.toFixed(1)}/s; ${course.ordinary} requests of ordinary clients`,
    `  done by the registry: ${[...course.done].map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `  memory grew by ${course.memoryGrowth.toFixed(0)} MiB at most`,
    ...times,
  ].join("\n");
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
