declare module "apache-md5" {
  /**
   * Apache's `$apr1$` and the original `$1$` MD5 crypt.
   *
   * @param password Every character stands for one byte.
   * @param setting A hash, or its beginning: `$apr1$SALT$`.
   */
  function md5Crypt(password: string, setting: string): string;
  export = md5Crypt;
}

declare module "unix-crypt-td-js" {
  /**
   * The traditional DES crypt(3).
   *
   * @param password Bytes, of which the first eight count.
   * @param setting A hash, or its first two characters.
   */
  function desCrypt(password: readonly number[], setting: string): string;
  export = desCrypt;
}
