/**
 * KEYS: lock. ARGV: owner, milliseconds. Acquires a free lock or extends the owner's. Returns 1 if the owner holds it now. A lock of another
 * owner that lasts longer than any owner asks for, or for ever, gets this expiry.
 */
export const ACQUIRE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
local owns = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1]
local left = redis.call('PTTL', KEYS[1])
if owns or left < 0 or left > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return owns and 1 or 0`;

/** KEYS: lock. ARGV: owner. Releases the owner's lock. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * KEYS: invalidations, a sorted set of tags by time. ARGV: tag, time, milliseconds to keep it, maximum number, channel (a client may prefix
 * keys, and never channels).
 * Stores and publishes an invalidation. When full, `*` replaces the oldest ones: invalidating too many keys is safe, too few is not.
 */
export const PUBLISH = `
local later = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not later or tonumber(later) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', tonumber(ARGV[2]) - tonumber(ARGV[3])))
local extra = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if extra > 0 then
  local last = redis.call('ZRANGE', KEYS[1], extra - 1, extra - 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, extra - 1)
  local all = redis.call('ZSCORE', KEYS[1], '*')
  if not all or tonumber(all) < tonumber(last[2]) then redis.call('ZADD', KEYS[1], last[2], '*') end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[5], ARGV[2] .. ' ' .. ARGV[1])
return 1`;

/**
 * KEYS: instances, a sorted set by when they were seen last (milliseconds). ARGV: instance, milliseconds. Adds the instance, and returns how
 * many were seen within that time.
 */
export const COUNT_INSTANCES = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/** KEYS: invalidations. ARGV: tags. Returns those tags that are invalidated, each followed by its time. */
export const INVALIDATIONS_OF = `
local found = {}
for _, tag in ipairs(ARGV) do
  local time = redis.call('ZSCORE', KEYS[1], tag)
  if time then found[#found + 1] = tag; found[#found + 1] = time end
end
return found`;

/**
 * KEYS: bucket, a list of the times (microseconds, oldest first) of the accepted requests. ARGV: limit, window in milliseconds.
 * Exact sliding window by the server's time. Keeps at most `limit` times and removes each once, so that a request costs O(1) whatever
 * the limit. While the clock is set back, by 2 s at most, time stands still; times from further ahead are removed. Returns accepted (0 or 1), remaining requests, microseconds until reset.
 */
export const TAKE = `
local limit, window = tonumber(ARGV[1]), ARGV[2] * 1000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1) or 0)
while newest > now + 2000000 do
  redis.call('RPOP', KEYS[1])
  newest = tonumber(redis.call('LINDEX', KEYS[1], -1) or 0)
end
if newest > now then now = newest end
if newest > 0 and newest + window <= now then redis.call('DEL', KEYS[1]) end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
while oldest + window <= now or oldest > now + 2000000 do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
end
local count = redis.call('LLEN', KEYS[1])
if count >= limit then
  local expires = tonumber(redis.call('LINDEX', KEYS[1], count - limit))
  return {0, 0, expires + window - now}
end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + 1000)
return {1, limit - count - 1, oldest + window - now}`;
