/**
 * How the user name of every robot begins. No name of a person begins so, in capitals or not: whoever may choose a name in
 * a directory must not become a robot.
 */
export const robotPrefix = "robot$";

/** Whether a user name is, or looks like, that of a robot. */
export function isRobotName(username: string): boolean {
  return username.slice(0, robotPrefix.length).toLowerCase() === robotPrefix;
}
