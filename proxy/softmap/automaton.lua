-- A set of byte patterns, regardless of case: a table that skips what cannot begin one (Wu-Manber, blocks of two bytes), and a tree of all.
local bit = require("bit")
local ffi = require("ffi")

local M = {}

local WIDEST = 16 -- a wider window skips no further in practice: with many names nearly every pair of letters is in one

local cells = ffi.typeof("int32_t[?]")
local bytes = ffi.typeof("uint8_t[?]")
local table_size = 65536

-- the index of a pair of bytes in a table: the two read as one number
local LEFT, RIGHT = 1, 256
if ffi.abi("be") then
  LEFT, RIGHT = 256, 1
end

--- Where the first four bytes of a text, read as one number, are looked up; the bit that tells small letters from capitals is lost.
function M.mix(four)
  four = bit.bor(four, 0x20202020)
  return bit.band(bit.bxor(four, bit.rshift(four, 15)), table_size - 1)
end

-- both cases of a folded byte
local function cases(c)
  if c >= 97 and c <= 122 then
    return { c, c - 32 }
  end
  return { c }
end

-- calls `put` with the index of every pair of bytes that folds to (a, b); without b with every pair that begins with a
local function pairs_of(a, b, put)
  for _, x in ipairs(cases(a)) do
    if b then
      for _, y in ipairs(cases(b)) do
        put(x * LEFT + y * RIGHT)
      end
    else
      for y = 0, 255 do
        put(x * LEFT + y * RIGHT)
      end
    end
  end
end

local function newTree(room)
  local tree = {
    root = cells(256), -- first byte, any case -> node
    byte = bytes(room),
    child = cells(room),
    sibling = cells(room),
    depth = cells(room),
    longest = cells(room), -- the last node on the way here that ends a pattern, itself included
    shorter = cells(room), -- the same, without itself
    rules = {}, -- node -> rules of the pattern that ends here
  }
  return tree
end

local function newNode(tree, used, byte, depth)
  tree.byte[used] = byte
  tree.depth[used] = depth
  return used
end

-- walks from `list` (a node, its siblings behind it) to the one of `byte`
local function find(tree, node, byte)
  while node ~= 0 and tree.byte[node] ~= byte do
    node = tree.sibling[node]
  end
  return node
end

local function plant(patterns)
  local room = 1
  for _, pattern in ipairs(patterns) do
    room = room + #pattern.text
  end
  local tree = newTree(room)
  local used = 0
  for _, pattern in ipairs(patterns) do
    local text = pattern.text
    assert(text ~= "", "an empty pattern would match everywhere")
    local node = tree.root[text:byte(1)]
    if node == 0 then
      used = used + 1
      node = newNode(tree, used, text:byte(1), 1)
      for _, c in ipairs(cases(text:byte(1))) do
        tree.root[c] = node
      end
    end
    for k = 2, #text do
      local next = find(tree, tree.child[node], text:byte(k))
      if next == 0 then
        used = used + 1
        next = newNode(tree, used, text:byte(k), k)
        tree.sibling[next] = tree.child[node]
        tree.child[node] = next
      end
      node = next
    end
    local rules = tree.rules[node] or {}
    rules[#rules + 1] = pattern.rule
    tree.rules[node] = rules
    tree.longest[node] = node
  end
  -- a node has a higher number than the one it hangs on
  for node = 1, used do
    local child = tree.child[node]
    while child ~= 0 do
      tree.shorter[child] = tree.longest[node]
      if tree.longest[child] == 0 then
        tree.longest[child] = tree.longest[node]
      end
      child = tree.sibling[child]
    end
  end
  return tree
end

--- Builds the automaton of `patterns`: { text = folded bytes, at least one, rule = anything }. Rules of one text stay in their order.
function M.build(patterns)
  local tree = plant(patterns)
  local width = WIDEST
  for _, pattern in ipairs(patterns) do
    width = math.min(width, #pattern.text)
  end
  width = math.max(width, 2)

  -- shift: how far the window may move when it ends with this pair; 0: a pattern may begin here. again: how far when none did.
  -- first: whether a pattern begins with four such bytes.
  local shift, again, first = bytes(table_size), bytes(table_size), bytes(table_size)
  local four = ffi.new("int32_t[1]")
  ffi.fill(shift, table_size, width - 1)
  ffi.fill(again, table_size, width - 1)
  for _, pattern in ipairs(patterns) do
    local text = pattern.text
    if width >= 4 then
      ffi.copy(four, text, 4)
      first[M.mix(four[0])] = 1
    end
    if #text == 1 then
      pairs_of(text:byte(1), nil, function(pair)
        shift[pair] = 0
      end)
    end
    for k = 2, math.min(width, #text) do
      local far = width - k
      pairs_of(text:byte(k - 1), text:byte(k), function(pair)
        if far < shift[pair] then
          shift[pair] = far
        end
        if far > 0 and far < again[pair] then
          again[pair] = far
        end
      end)
    end
  end
  return { tree = tree, width = width, shift = shift, again = again, first = first }
end

return M
