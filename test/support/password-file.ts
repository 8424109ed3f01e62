import { run } from "./run.ts";

/** The text of a password file with these users, hashed by the real htpasswd (bcrypt at a low cost). */
export async function passwordFile(passwords: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(passwords).map(([username, password]) =>
    run("htpasswd", ["-bnB", "-C", "5", username, password]),
  );
  return (await Promise.all(entries)).join("");
}
