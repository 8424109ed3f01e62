import { expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

const commands = ["serve", "check", "explain", "doctor", "passwd", "keys", "schema"];

test.each([["--help"], ["-h"], ["help"]])("%s lists the commands", async (flag) => {
  const { code, stdout, stderr } = await runGate([flag]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} +[a-z]`, "m"));
});

test.each([...commands.map((command) => ["help", command]), ["serve", "--help"], ["passwd", "-h"]])(
  "%s %s tells how a command is used, and its exit codes, on 120 columns",
  async (...parameters) => {
    const { code, stdout, stderr } = await runGate(parameters);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const command = parameters.find((word) => commands.includes(word));
    expect(stdout).toMatch(new RegExp(`^usage: registry-gate ${command}\\b`));
    expect(stdout).toContain("\nExit code: 0");
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  },
);

test("--version prints the version", async () => {
  expect((await runGate(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  [[], "no command"],
  [["explode"], "explode is not a command"],
  [["srve"], "srve is not a command; did you mean serve?"],
  [["help", "chekc"], "chekc is not a command; did you mean check?"],
  [["--verbose"], "--verbose is not a command"],
])("reports %j as invalid usage, with the list of commands", async (parameters, message) => {
  const { code, stdout, stderr } = await runGate(parameters);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^registry-gate: .*\n\nusage: registry-gate COMMAND\n/);
  expect(stderr.split("\n", 1)).toEqual([`registry-gate: ${message}`]);
});

test.each([
  [["serve"], "--config FILE is required"],
  [["check", "--config"], "Option '-c, --config <value>' argument missing"],
  [["check", "--config", "a", "b"], "unexpected b"],
  [["serve", "--cnofig", "a"], "Unknown option '--cnofig'"],
  [["explain", "--config", "a", "pull"], "ACTION and REPOSITORY are required"],
  [["explain", "--config", "a", "pul", "team/app"], "pul is not an action: pull, push, delete or *"],
  [["explain", "--config", "a", "pull", "Team//app"], "Team//app is not the name of a repository"],
  [["explain", "--config", "a", "--group", "g", "pull", "team/app"], "--group needs --user"],
  [["explain", "--config", "a", "pull", "team/app", "more"], "unexpected more"],
  [["doctor", "--url", "http://localhost", "more"], "unexpected more"],
  [["passwd", "file"], "FILE and USER are required"],
  [["passwd", "file", "user", "secret"], "unexpected secret"],
  [["passwd", "-b", "file", "user"], "Unknown option '-b'"],
  [["schema", "more"], "unexpected more"],
])("reports %j as invalid usage, with the usage of the command", async (parameters, message) => {
  const { code, stdout, stderr } = await runGate(parameters);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  const [complaint, , usage] = stderr.split("\n");
  expect(complaint).toBe(`registry-gate: ${parameters[0]}: ${message}`);
  expect(usage).toMatch(new RegExp(`^usage: registry-gate ${parameters[0]}`));
});
