/** Far more than any key set, certificate or secret has. */
export const maxFileBytes: number = 1024 * 1024;
