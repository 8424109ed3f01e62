/** The command `health` without all the others. */
import { oneLine } from "../../one-line.ts";
import { runCommand } from "../run-command.ts";
import { health } from "./health.ts";

try {
  process.exitCode = await runCommand(health, process.argv.slice(3));
} catch (error) {
  process.stderr.write(`registry-gate: ${oneLine(error)}\n`);
  process.exitCode = 1;
}
