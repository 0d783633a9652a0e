/** KEYS: lock. ARGV: owner, milliseconds. Takes a lock that is free, or holds one's own for longer; 1 if it is the owner's now. */
export const ACQUIRE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** KEYS: lock. ARGV: owner. Gives back one's own lock. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * KEYS: invalidations, a sorted set of tags by time. ARGV: tag, time, the time to keep them, how many at most. Also the channel's name.
 * Where some have to make room for newer ones, `*` takes the place of them all: forgetting too much is safe, forgetting too little is not.
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
redis.call('PUBLISH', KEYS[1], ARGV[2] .. ' ' .. ARGV[1])
return 1`;

/** KEYS: invalidations. ARGV: tags. The tags that have one, each followed by its time. */
export const INVALIDATIONS_OF = `
local found = {}
for _, tag in ipairs(ARGV) do
  local time = redis.call('ZSCORE', KEYS[1], tag)
  if time then found[#found + 1] = tag; found[#found + 1] = time end
end
return found`;

/**
 * KEYS: bucket, a list of the times (in microseconds, oldest first) of the requests that count. ARGV: limit, window in milliseconds.
 * An exact sliding window by the server's time: at most `limit` times are kept, and each is looked at once when it leaves, so a request
 * costs O(1) whatever the limit. A clock that is set back stands still meanwhile. Accepted or not, how many more, and microseconds.
 */
export const TAKE = `
local limit, window = tonumber(ARGV[1]), ARGV[2] * 1000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1) or 0)
if newest > now then now = newest end
if newest > 0 and newest + window <= now then redis.call('DEL', KEYS[1]) end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
while oldest + window <= now do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0) or now)
end
local count = redis.call('LLEN', KEYS[1])
if count >= limit then
  local leaves = tonumber(redis.call('LINDEX', KEYS[1], count - limit))
  return {0, 0, leaves + window - now}
end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2] + 1000)
return {1, limit - count - 1, oldest + window - now}`;
