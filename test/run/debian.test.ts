import { expect, test } from "vitest";
import { isDebianLike } from "./debian.ts";

test.each([
  ["Debian", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n', true],
  ["Ubuntu", 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true],
  ["Mint", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
  ["Alpine", 'NAME="Alpine Linux"\nID=alpine\n', false],
  ["Fedora", "ID=fedora\n", false],
  ["a system that is called after Debian", 'ID=notdebian\nID_LIKE="debianoid"\n', false],
  ["a system that says nothing", "", false],
])("tells whether %s has Debian's packages", (_, osRelease, expected) => {
  expect(isDebianLike(osRelease)).toBe(expected);
});
