"""Runs a Lua file with the LuaJIT of nginx's Lua module: luajit.py FILE ARGUMENT."""

import ctypes
import sys

lua = ctypes.CDLL("libluajit-5.1.so.2")
lua.luaL_newstate.restype = ctypes.c_void_p
lua.lua_tolstring.restype = ctypes.c_char_p

state = ctypes.c_void_p(lua.luaL_newstate())
lua.luaL_openlibs(state)
script, argument = (value.encode() for value in sys.argv[1:])
failed = lua.luaL_loadfile(state, script)
if not failed:
    lua.lua_pushstring(state, argument)
    failed = lua.lua_pcall(state, 1, 0, 0)
if failed:
    message = lua.lua_tolstring(state, -1, None)
    sys.exit((message or b"no message").decode(errors="replace"))
