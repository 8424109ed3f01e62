/** Names that a password file or a directory can hold, and that are more than names where they are taken for HTML. */
export const hostileNames: readonly string[] = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title><svg onload=alert(1)>",
  "</textarea></body><b>",
  "{{7*7}}${7*7}<%= 7*7 %>",
  "&lt;i&gt;&amp;",
  "javascript;alert(1)//",
  "`$(touch x)`;'\"\\",
  "a'; rm -rf / #",
  "ünïcode 名前",
];
