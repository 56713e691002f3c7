-- gzip and deflate undone piece by piece, by the zlib that nginx itself is linked with.
local ffi = require("ffi")

ffi.cdef([[
typedef struct {
    const unsigned char *next_in; unsigned int avail_in; unsigned long total_in;
    unsigned char *next_out; unsigned int avail_out; unsigned long total_out;
    const char *msg; void *state; void *zalloc; void *zfree; void *opaque;
    int data_type; unsigned long adler; unsigned long reserved;
} softmap_z_stream;
int inflateInit2_(softmap_z_stream *stream, int window, const char *version, int size);
int inflate(softmap_z_stream *stream, int flush);
int inflateEnd(softmap_z_stream *stream);
int inflateReset2(softmap_z_stream *stream, int window);
const char *zlibVersion(void);
]])
local zlib = ffi.load("libz.so.1")

local OK, STREAM_END, BUF_ERROR, DATA_ERROR = 0, 1, -5, -3
local EITHER, RAW = 15 + 32, -15 -- zlib.h inflateInit2: gzip or zlib told apart by their header; deflate without one
local SIZE = 64 * 1024
-- The most that one piece, some buffers of nginx's, may hold: what is packed a hundred times is no page, and would have to be in memory whole.
local MOST = 16 * 1024 * 1024

local inflate = {}
local names = { gzip = true, ["x-gzip"] = true, deflate = true }

function inflate.knows(encoding)
    return names[encoding] or false
end

local Decoder = {}
Decoder.__index = Decoder

function inflate.new()
    local stream = ffi.new("softmap_z_stream")
    if zlib.inflateInit2_(stream, EITHER, zlib.zlibVersion(), ffi.sizeof(stream)) ~= OK then error("zlib has no memory") end
    return setmetatable({ stream = ffi.gc(stream, zlib.inflateEnd), room = ffi.new("uint8_t[?]", SIZE), first = true }, Decoder)
end

-- One step of zlib: whatever fits into the room. True when there was output.
function Decoder:step(out)
    local stream = self.stream
    stream.next_out, stream.avail_out = self.room, SIZE
    local got = zlib.inflate(stream, 0)
    local size = SIZE - stream.avail_out
    if size > 0 then out[#out + 1] = ffi.string(self.room, size) end
    return got, size > 0
end

-- Of a piece of compressed bytes what it holds; `last` says that there are no more. Errors for what is damaged or cut short.
function Decoder:feed(piece, last)
    local out, stream = {}, self.stream
    stream.next_in, stream.avail_in = ffi.cast("const unsigned char *", piece), #piece
    while stream.avail_in > 0 or self.more do
        if self.ended then
            -- A gzip file may have several members (RFC 1952 2.2); what else follows is nobody's.
            if self.junk or zlib.inflateReset2(stream, EITHER) ~= OK then break end
            self.ended, self.again = false, true
        end
        local got, any = self:step(out)
        if #out * SIZE > MOST then error("the origin's compressed answer holds too much") end
        if got == DATA_ERROR and self.first then
            -- "deflate" is zlib's format (RFC 9110 8.4.1.2), and some send the bare one.
            zlib.inflateReset2(stream, RAW)
            stream.next_in, stream.avail_in = ffi.cast("const unsigned char *", piece), #piece
            got, any = self:step(out)
        end
        self.first = false
        self.more = any and stream.avail_out == 0
        if got == STREAM_END then
            self.ended, self.more = true, false
        elseif got == DATA_ERROR and self.again and not any then
            self.ended, self.junk = true, true
        elseif got ~= OK and got ~= BUF_ERROR then
            error("the origin's compressed answer is damaged")
        elseif got == BUF_ERROR then
            self.more = false
            if stream.avail_in > 0 then break end
        end
        if self.junk then break end
    end
    if last and not self.ended and not self.first then error("the origin's compressed answer is cut short") end
    return table.concat(out)
end

return inflate
