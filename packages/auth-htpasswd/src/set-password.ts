import { type Duration, type Fault, parseDuration } from "@registry-gate/auth";
import {
  durationOption,
  InvalidFileError,
  isRobotName,
  parseOptions,
  ReplaceError,
  replaceFile,
  wholeNumberOption,
  z,
} from "@registry-gate/auth-kit";
import { bcryptFault, loadBcrypt } from "./bcrypt.ts";
import { editEntry } from "./edit-entry.ts";
import { BCRYPT_COST } from "./hash-format.ts";
import { BCRYPT_MAX_BYTES } from "./hasher.ts";
import { SetPasswordError } from "./set-password-error.ts";
import { parseUserFile, requireUserFile } from "./user-file.ts";

/** How a password is written. */
export interface SetPasswordOptions {
  /** The binary logarithm of bcrypt's iterations, from 4 to 17; each step doubles the time of a login. Default 10. */
  readonly cost?: number;
  /** How long to wait for another run that is changing the file. Default 10 seconds. */
  readonly lockTimeout?: Duration;
}

const cost: z.ZodType<number> = wholeNumberOption(BCRYPT_COST.least, BCRYPT_COST.most);

const schema: z.ZodType<SetPasswordOptions> = z.strictObject(
  {
    cost: cost.exactOptional(),
    lockTimeout: durationOption("How long to wait for another run that is changing the file").exactOptional(),
  },
  "must be an object",
);

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
 * @throws {SetPasswordError} when the file, the user name or the password cannot be used.
 * @throws {InvalidOptionsError} when an option is wrong.
 */
export async function setPassword(
  file: string,
  username: string,
  password: string,
  options: SetPasswordOptions = {},
): Promise<"created" | "updated"> {
  const { cost, lockTimeout = "10s" } = parseOptions(schema, options);
  // Before the lock is taken, because it takes long.
  const { name, hashed } = await hashPassword(username, password, cost);
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
      { lockTimeout: parseDuration(lockTimeout) ?? 0 },
    );
    return outcome;
  } catch (error) {
    if (error instanceof ReplaceError) throw new SetPasswordError(faultOf("file", error.message), { cause: error });
    if (error instanceof InvalidFileError) {
      throw new SetPasswordError(faultOf("file", `${error.message}: ${file}`), { cause: error });
    }
    throw error;
  }
}

/**
 * An entry of an htpasswd file without a file: `user:hash`, as {@link setPassword} would write it.
 *
 * @throws {SetPasswordError} when the user name or the password cannot be used.
 * @throws {InvalidOptionsError} when an option is wrong.
 */
export async function passwordEntry(
  username: string,
  password: string,
  options: Pick<SetPasswordOptions, "cost"> = {},
): Promise<string> {
  const { cost } = parseOptions(entrySchema, options);
  const { name, hashed } = await hashPassword(username, password, cost);
  return `${name}:${hashed}`;
}

interface HashedPassword {
  readonly name: string;
  readonly hashed: string;
}

const entrySchema: z.ZodType<Pick<SetPasswordOptions, "cost">> = z.strictObject(
  { cost: cost.exactOptional() },
  "must be an object",
);

async function hashPassword(username: string, password: string, cost = 10): Promise<HashedPassword> {
  const name = username.normalize("NFC");
  const secret = password.normalize("NFC");
  const faults: Fault[] = [
    ...faultOf("username", faultOfUsername(name)),
    ...faultOf("password", faultOfPassword(secret)),
    ...faultOf("password", await faultOfHashing()),
  ];
  if (faults.length > 0) throw new SetPasswordError(faults);
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
  if (username.includes(":")) return "contains a colon";
  if (isRobotName(username)) return "is reserved for robots";
  if (/\p{Cc}/u.test(username)) return "contains a control character";
  if (/\p{Surrogate}/u.test(username)) return "is not well-formed Unicode";
  if (username.startsWith("#")) return "begins with #, like a comment";
  if (/^[\s\uFEFF]|[\s\uFEFF]$/.test(username)) return "begins or ends with white space";
  if (Buffer.byteLength(username) > USERNAME_MAX_BYTES) return `is longer than ${USERNAME_MAX_BYTES} bytes`;
  return undefined;
}

function faultOfPassword(password: string): string | undefined {
  if (password === "") return "is empty";
  if (/\p{Cc}/u.test(password)) return "contains a control character";
  if (/\p{Surrogate}/u.test(password)) return "is not well-formed Unicode";
  if (Buffer.byteLength(password) > BCRYPT_MAX_BYTES) return `is longer than ${BCRYPT_MAX_BYTES} bytes, as UTF-8`;
  return undefined;
}
