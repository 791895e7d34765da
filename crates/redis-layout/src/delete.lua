local expected = ARGV[1]
local version = redis.pcall('HGET', KEYS[1], 'version')
if type(version) == 'string' and version ~= '' and expected ~= '0' and version ~= expected then
    return error('failed to delete ' .. KEYS[1])
end
return redis.call('DEL', KEYS[1])
