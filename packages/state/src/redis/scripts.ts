/**
 * What Redis has no command for, each carried out at one stroke (redis.io/docs/latest/develop/programmability/eval-intro).
 * Each has one key.
 */

/** Responds value and remaining milliseconds. */
export const getWithTtl = "return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }";

/** ARGV: expected value, new value, ttl or the empty text. Responds 1 where it was replaced. */
export const replace = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;

/** ARGV: amount, ttl of a new number. Responds the sum. */
export const increment = `
local isNew = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum <= 0 then redis.call('DEL', KEYS[1])
elseif isNew then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum`;

/** ARGV: ttl. Responds 1 where there is an entry. */
export const extend = `
local left = redis.call('PTTL', KEYS[1])
if left == -2 then return 0 end
if left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`;
