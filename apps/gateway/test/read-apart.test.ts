import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";
import { readApart } from "../src/config/read-apart.ts";

const rule = (index: number, action = "pull"): string =>
  `  - { subjects: ["group:team-${index}"], repositories: ["team-${index}/**"], actions: [${action}] }\n`;
const text = (rules: string): string => `
listen: { address: "127.0.0.1:\${PORT}", cors: { origins: [] } }
upstream: { url: "http://127.0.0.1:5000" }
auth:
  backends:
    - { type: htpasswd, file: "\${FILE}", limit: .inf }
access:
${rules}`;
const many = Array.from({ length: 200 }, (_, index) => rule(index)).join("");
const environment = { PORT: "5043", FILE: "users" };

test.each([
  ["a short one", rule(1)],
  ["a long one", many],
  ["a long one with faults", `${many}${rule(7, "pul")}  - { subjects: [] }\n`],
  ["a long one that is no YAML", `${many}  - {`],
])("%s is read as at once", async (_, rules) => {
  expect(await readApart(text(rules), environment)).toEqual(readConfiguration(text(rules), environment));
});

test("a variable that is not set is a fault, whatever the process has in its environment", async () => {
  process.env.FILE = "users";
  try {
    const { faults } = await readApart(text(many), { PORT: "5043" });
    expect(faults.map(({ message }) => message)).toEqual(["the environment variable FILE is not set"]);
  } finally {
    delete process.env.FILE;
  }
});
