import { delimiter, sep } from "node:path";

/** What pnpm and npm put into the environment of a script, by the name; what a user sets for npm stays. */
const ofScripts =
  /^(?:npm_(?:command|execpath|node_execpath|lifecycle_.*|package_.*)|npm_config_(?:user_agent|npm_version|node_gyp|local_prefix|global_prefix|init_module|yes)|pnpm_.*|node|init_cwd)$/i;

/** The environment that a script's user has, as far as it can be told: with their own Node and npm first on the path. */
export function outerEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { PATH = "", ...others } = environment;
  const own = Object.entries(others).filter(([name]) => !ofScripts.test(name));
  const folders = PATH.split(delimiter).filter((folder) => !folder.split(sep).includes("node_modules"));
  return { ...Object.fromEntries(own), PATH: folders.join(delimiter) };
}
