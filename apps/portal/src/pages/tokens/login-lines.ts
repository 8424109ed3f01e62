import { type CommandLine, powerShellWord, shellWord } from "../../view/command-lines.ts";

/** How to log in with a token, at each place where somebody may need it. */
export function loginLines(host: string, username: string, token: string): readonly CommandLine[] {
  const shell = `docker login --username ${shellWord(username)} --password-stdin ${shellWord(host)}`;
  return [
    { label: "Linux and macOS", line: `printf %s ${shellWord(token)} | ${shell}` },
    {
      label: "Windows (PowerShell)",
      line: `${powerShellWord(token)} | docker login --username ${powerShellWord(username)} --password-stdin ${powerShellWord(host)}`,
    },
    {
      label: "GitHub Actions: keep the token as the secret REGISTRY_TOKEN",
      line: [
        "- uses: docker/login-action@v3",
        "  with:",
        `    registry: ${JSON.stringify(host)}`,
        `    username: ${JSON.stringify(username)}`,
        "    password: ${{ secrets.REGISTRY_TOKEN }}",
      ].join("\n"),
    },
    {
      label: "GitLab CI: keep the token as the masked variable REGISTRY_TOKEN",
      line: ["before_script:", `  - ${JSON.stringify(`printf %s "$REGISTRY_TOKEN" | ${shell}`)}`].join("\n"),
    },
  ];
}
