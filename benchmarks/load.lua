-- Send the requests of a file over and over, and print the measurement as one line of JSON.
-- Threads start at different requests, so that no two send the same one at the same time.

local threads = 0
local requests = {}
local position = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   local file = assert(io.open(args[1], "rb"))
   for each in file:read("*a"):gmatch("([^%z]+)%z") do
      requests[#requests + 1] = each
   end
   file:close()
   position = math.floor(#requests * number / tonumber(args[2]))
end

function request()
   position = position % #requests + 1
   return requests[position]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "mean_ms": %f, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
      latency:percentile(99) / 1e3, latency.mean / 1e3, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
