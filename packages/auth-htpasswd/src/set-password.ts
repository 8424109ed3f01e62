import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { InvalidFileError, isRobotName } from "@registry-gate/auth-kit";
import { bcryptFault, loadBcrypt } from "./bcrypt.ts";
import { editEntry } from "./edit-entry.ts";
import { BCRYPT_COST } from "./hash-format.ts";
import { BCRYPT_MAX_BYTES } from "./hasher.ts";
import { ReplaceError } from "./replace-error.ts";
import { replaceFile } from "./replace-file.ts";
import { parseUserFile, requireUserFile } from "./user-file.ts";

/** How a password is written. */
export interface SetPasswordOptions {
  /** The binary logarithm of bcrypt's iterations, from 4 to 17; each step doubles the time of a login. Default 10. */
  readonly cost?: number;
  /** For how long to wait for another run that is changing the file, in milliseconds. Default 10 000. */
  readonly patience?: number;
}

/** What Apache's `htpasswd` takes at most. */
const USERNAME_MAX_BYTES = 255;

/**
 * Gives a user a password in an htpasswd file, hashed with bcrypt as `$2y$`, which Apache, nginx and this package take.
 * The file is created where it is missing; in an existing one, every other line stays as it is, byte for byte.
 *
 * The file is replaced in one step, its mode and, where the process may, its owner kept; a new file has mode 0600. Of
 * several runs at once, each finds what the one before has written. User name and password are brought into
 * Normalization Form C, as the gate does with what a client sends.
 *
 * @param file Relative to the current directory. Of a symbolic link, the target is replaced.
 * @returns whether the user is new in the file.
 * @throws {InvalidOptionsError} whose faults have the path `file`, `username`, `password` or `cost`.
 */
export async function setPassword(
  file: string,
  username: string,
  password: string,
  options: SetPasswordOptions = {},
): Promise<"created" | "updated"> {
  const { patience = 10_000 } = options;
  // Before the lock is taken, because it takes long.
  const { name, hashed } = await hashPassword(username, password, options);
  try {
    const { outcome } = await replaceFile(
      file,
      (content) => {
        parseUserFile(content, false);
        requireUserFile(content);
        const edited = editEntry(content, name, hashed);
        const written = parseUserFile(edited.content, false).hashes.get(name);
        if (written?.text !== hashed) throw new InvalidFileError("cannot hold this user");
        return edited;
      },
      { patience },
    );
    return outcome;
  } catch (error) {
    if (error instanceof ReplaceError) throw new InvalidOptionsError(faultOf("file", error.message), { cause: error });
    if (error instanceof InvalidFileError) {
      throw new InvalidOptionsError(faultOf("file", `${error.message}: ${file}`), { cause: error });
    }
    throw error;
  }
}

/**
 * An entry of an htpasswd file without a file: `user:hash`, as {@link setPassword} would write it.
 *
 * @throws {InvalidOptionsError} whose faults have the path `username`, `password` or `cost`.
 */
export async function passwordEntry(
  username: string,
  password: string,
  options: Pick<SetPasswordOptions, "cost"> = {},
): Promise<string> {
  const { name, hashed } = await hashPassword(username, password, options);
  return `${name}:${hashed}`;
}

interface HashedPassword {
  readonly name: string;
  readonly hashed: string;
}

async function hashPassword(
  username: string,
  password: string,
  { cost = 10 }: Pick<SetPasswordOptions, "cost">,
): Promise<HashedPassword> {
  const name = username.normalize("NFC");
  const secret = password.normalize("NFC");
  const faults: Fault[] = [
    ...faultOf("username", faultOfUsername(name)),
    ...faultOf("password", faultOfPassword(secret)),
    ...faultOf("cost", faultOfCost(cost)),
    ...faultOf("password", await faultOfHashing()),
  ];
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  const { hash } = await loadBcrypt();
  return { name, hashed: await hash(secret, { cost, version: "2y" }) };
}

/** There are other ways to an entry that this package takes. */
async function faultOfHashing(): Promise<string | undefined> {
  const fault = await bcryptFault();
  return fault === undefined
    ? undefined
    : `cannot be hashed: ${fault}; or write USER: and what "openssl passwd -6" prints into the file`;
}

function faultOf(key: string, message: string | undefined): Fault[] {
  return message === undefined ? [] : [{ path: [key], message }];
}

function faultOfUsername(username: string): string | undefined {
  if (username === "") return "is empty";
  if (username.includes(":")) return "has a colon in it, which ends the name";
  if (isRobotName(username)) return "is reserved for robots";
  if (/\p{Cc}/u.test(username)) return "has a control character in it";
  if (/\p{Surrogate}/u.test(username)) return "is not well-formed Unicode";
  if (username.startsWith("#")) return "begins with #, as a comment does";
  if (/^[\s\uFEFF]|[\s\uFEFF]$/.test(username)) return "begins or ends with white space";
  if (Buffer.byteLength(username) > USERNAME_MAX_BYTES) return `is longer than ${USERNAME_MAX_BYTES} bytes`;
  return undefined;
}

function faultOfPassword(password: string): string | undefined {
  if (password === "") return "is empty";
  if (/\p{Cc}/u.test(password)) return "has a control character in it";
  if (/\p{Surrogate}/u.test(password)) return "is not well-formed Unicode";
  if (Buffer.byteLength(password) > BCRYPT_MAX_BYTES) return `is longer than ${BCRYPT_MAX_BYTES} bytes, as UTF-8`;
  return undefined;
}

function faultOfCost(cost: number): string | undefined {
  const { least, most } = BCRYPT_COST;
  const fits = Number.isInteger(cost) && cost >= least && cost <= most;
  return fits ? undefined : `must be a whole number from ${least} to ${most}`;
}
