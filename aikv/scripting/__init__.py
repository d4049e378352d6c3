"""Scripts in Lua: the libraries that they have."""
